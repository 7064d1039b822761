"""Wrong configuration stops at the door: what every worker or the agent would stumble over ends the program at once.

A worker that cannot start is started again and again; here the parent says which setting is wrong, never its value.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from modelkit.signature import public_keys
from serving.addresses import refuse_wrong_addresses
from serving.model_path import ModelPath
from serving.own_keys import check_own_keys
from serving.policy_setting import policy_file
from serving.served_models import (
    challenged_models,
    challenger_store,
    model_store,
    pinned_challengers,
    pinned_versions,
    redaction_of,
    served_models,
    views_of,
)
from serving.settings import ModelSource, Settings

WRONG_SETTINGS = 2


def settings_at_the_door(check: Callable[[Settings], None]) -> Settings:
    """The environment's settings; with wrong ones the program ends here, with a line for each that is wrong."""
    try:
        settings = Settings()
        check(settings)
    except ValidationError as error:
        wrong = [
            _line(item["loc"], item["msg"]) for item in error.errors(include_input=False, include_url=False)
        ]
    except (ValueError, ImportError) as error:
        wrong = [str(error)]
    else:
        return settings
    sys.stderr.writelines(f"{line}\n" for line in wrong)
    raise SystemExit(WRONG_SETTINGS)


def check_service(settings: Settings) -> None:
    """Raises ValueError, naming the setting and never its value."""
    policy_file(settings)
    check_own_keys(settings)
    _check_periods(settings)
    _check_models(settings)
    _check_signing(settings)
    _check_model_path(settings)
    refuse_wrong_addresses(settings)
    ports = settings.api_port, settings.grpc_port, settings.metrics_port, settings.agent_metrics_port
    if len({port for port in ports if port}) < sum(1 for port in ports if port):
        raise ValueError("API_PORT, GRPC_PORT, METRICS_PORT and AGENT_METRICS_PORT must differ")
    _refuse_unwritable("SPOOL_DIR", settings.spool_dir)
    _refuse_unwritable("METRICS_DIR", settings.metrics_dir)
    _refuse_unwritable("DRAIN_FILE", settings.drain_file.parent)
    if settings.agent_enabled:
        _refuse_unwritable("MODEL_STORE_DIR", settings.model_store_dir)


def check_agent(settings: Settings) -> None:
    """The same for the agent, which signs nothing and answers nobody."""
    policy_file(settings)
    _check_models(settings)
    _check_signing(settings)
    refuse_wrong_addresses(settings)
    _refuse_unwritable("SPOOL_DIR", settings.spool_dir)
    _refuse_unwritable("MODEL_STORE_DIR", settings.model_store_dir)


def _check_periods(settings: Settings) -> None:
    """A replica that has not heard of the new key yet signs with the old one for as long as a key settles."""
    needed = settings.jwt_access_ttl_seconds + settings.jwt_key_settle_seconds
    if settings.jwt_key_grace_seconds < needed:
        raise ValueError(
            "JWT_KEY_GRACE_SECONDS is shorter than JWT_ACCESS_TTL_SECONDS + JWT_KEY_SETTLE_SECONDS "
            f"({needed:g}): tokens would outlive their key when keys are exchanged"
        )


def _check_models(settings: Settings) -> None:
    served = served_models(settings)
    if settings.default_model and settings.default_model not in served:
        raise ValueError("DEFAULT_MODEL is not among the models of MODELS")
    views_of(served)
    redaction_of(settings)
    pinned_versions(settings)
    model_store(settings)
    challenged_models(settings)
    pinned_challengers(settings)
    challenger_store(settings)


def _check_signing(settings: Settings) -> None:
    """The keys themselves the agent's prover reads: what they are takes a library that nobody else needs."""
    keys = settings.model_keys
    if keys is None:
        if settings.only_signed_models:
            raise ValueError(
                "MODEL_VERIFY_KEYS_FILE: only signed models may serve here, and no key says whose signature counts "
                "(REQUIRE_SIGNED_MODELS=false serves what nobody signed)"
            )
        return
    try:
        public_keys(keys.read_bytes())
    except OSError:
        raise ValueError("MODEL_VERIFY_KEYS_FILE: the file cannot be read") from None
    except ValueError as error:
        raise ValueError(f"MODEL_VERIFY_KEYS_FILE: the file {error}") from None


def _check_model_path(settings: Settings) -> None:
    if settings.model_source is not ModelSource.PATH or settings.model_path is None:
        return
    there = ModelPath(settings.model_path)
    if missing := [name for name in served_models(settings) if there.folder(name) is None]:
        raise ValueError(f"MODEL_SOURCE=path, and MODEL_PATH holds no servable of {', '.join(missing)}")


def _refuse_unwritable(setting: str, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK | os.X_OK)
    except OSError:
        writable = False
    if not writable:
        raise ValueError(f"{setting}: the folder cannot be written to")


def _line(place: tuple[int | str, ...], message: str) -> str:
    """One setting, or what several mean together, whose names the message has."""
    reason = message.removeprefix("Value error, ")
    return f"{'.'.join(map(str, place)).upper()}: {reason}" if place else reason
