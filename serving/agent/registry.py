"""The registry as the agent sees it: which version an alias names, which are approved, and their servables. On MLflow."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from modelkit.errors import CorruptServable, UnloadableServable, UntrustedServable
from modelkit.servable import SIGNATURE, WRITTEN
from modelkit.signature import LARGEST_SIGNATURE

SERVABLE_PATH = "servable"
TAG_DIGEST = "slipway.servable_digest"
TAG_APPROVED = "slipway.approved"
TAG_WITHDRAWN = "slipway.withdrawn"
TAG_SIGNED = "slipway.signed"  # when, and by which key: changes when there is another signature to look at

# MLflow's own defaults retry for minutes (the agent asks again at its next poll anyway) and draw progress bars.
CLIENT_DEFAULTS = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}


class RegistryUnavailable(Exception):
    """The registry could not be asked; nothing is known about its aliases now."""


@dataclass(frozen=True, kw_only=True)
class RegisteredVersion:
    """A version and the digest that its registration recorded (empty where it was not registered by Slipway)."""

    registry_name: str
    version: str
    run_id: str
    digest: str
    approved: bool = False
    withdrawn: bool = False
    signed: str = ""


class Registry(Protocol):
    """All methods raise RegistryUnavailable, `download` also ServableError for what is not there or is no servable."""

    def behind_alias(self, registry_name: str, alias: str) -> RegisteredVersion | None: ...

    def by_number(self, registry_name: str, version: str) -> RegisteredVersion | None: ...

    def approved(self, registry_name: str) -> list[RegisteredVersion]:
        """Approved versions, newest first."""

    def download(self, version: RegisteredVersion, folder: Path) -> None:
        """The version's servable and its signature, if it has one, directly in `folder`; no other file, nothing parsed."""


class MlflowRegistry:
    """Implements `Registry` with an MLflow tracking and registry server, or an `sqlite:` store."""

    def __init__(self, tracking_uri: str, *, limit_bytes: int = sys.maxsize) -> None:
        """Versions with larger files are not downloaded."""
        self._limit_bytes = limit_bytes
        for name, value in CLIENT_DEFAULTS.items():
            os.environ.setdefault(name, value)
        from mlflow import MlflowClient

        self._client = MlflowClient(tracking_uri=tracking_uri, registry_uri=tracking_uri)

    def behind_alias(self, registry_name: str, alias: str) -> RegisteredVersion | None:
        return _found(lambda: self._client.get_model_version_by_alias(registry_name, alias))

    def by_number(self, registry_name: str, version: str) -> RegisteredVersion | None:
        return _found(lambda: self._client.get_model_version(registry_name, version))

    def approved(self, registry_name: str) -> list[RegisteredVersion]:
        try:
            versions = self._client.search_model_versions(f"name = '{registry_name}'")
        except Exception as error:
            raise RegistryUnavailable(type(error).__name__) from error
        approved = [version for version in map(_registered, versions) if version.approved]
        return sorted(approved, key=lambda version: -int(version.version))

    def download(self, version: RegisteredVersion, folder: Path) -> None:
        """Under our names: what the registry calls its files is compared with them, and never a path."""
        beside = folder.with_name(folder.name + ".download")
        shutil.rmtree(beside, ignore_errors=True)
        fresh = beside / "fresh"
        fresh.mkdir(parents=True)
        try:
            _refuse_others(self._listed(version.run_id, SERVABLE_PATH), self._limit_bytes)
            beside_it = self._listed(version.run_id, None)
            _refuse_no_signature(beside_it)
            for name in WRITTEN:
                self._fetch(version.run_id, f"{SERVABLE_PATH}/{name}", fresh / name)
            if SIGNATURE in beside_it:
                self._fetch(version.run_id, SIGNATURE, fresh / SIGNATURE)
            fresh.rename(folder)
        finally:
            shutil.rmtree(beside, ignore_errors=True)

    def _listed(self, run_id: str, path: str | None) -> dict[str, int | None]:
        """Names below a path, with sizes as the registry states them; None for a folder."""
        try:
            found = self._client.list_artifacts(run_id, path)
        except Exception as error:
            raise RegistryUnavailable(type(error).__name__) from error
        below = f"{path}/" if path else ""
        return {
            str(item.path).removeprefix(below): None if item.is_dir else int(item.file_size or 0)
            for item in found
        }

    def _fetch(self, run_id: str, path: str, target: Path) -> None:
        scratch = target.with_name(target.name + ".scratch")
        scratch.mkdir()
        try:
            self._client.download_artifacts(run_id, path, str(scratch))
        except Exception as error:
            raise RegistryUnavailable(type(error).__name__) from error
        found = [file for file in scratch.rglob("*") if file.is_file()]
        if len(found) != 1 or found[0].is_symlink():
            raise CorruptServable(f"{target.name} is not one file in the registry")
        found[0].rename(target)
        shutil.rmtree(scratch)


def _refuse_others(listed: dict[str, int | None], limit_bytes: int) -> None:
    """Before a byte of it is fetched."""
    if not listed:
        raise CorruptServable("the registry has no servable of it")
    if set(listed) != set(WRITTEN) or None in listed.values():
        raise CorruptServable("the registry does not hold exactly the files of a servable")
    if sum(size or 0 for size in listed.values()) > limit_bytes:
        raise UnloadableServable(f"its files are larger than {limit_bytes} bytes")


def _refuse_no_signature(listed: dict[str, int | None]) -> None:
    """A file that calls itself one, and a folder. That there is none is for whoever verifies to say."""
    size = listed.get(SIGNATURE, 0)
    if size is None or size > LARGEST_SIGNATURE:
        raise UntrustedServable("its signature is too large to be one")


def _found(ask: Callable[[], object]) -> RegisteredVersion | None:
    """The answer; None where the registry has no such thing."""
    from mlflow.exceptions import MlflowException

    try:
        return _registered(ask())
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise RegistryUnavailable(type(error).__name__) from error
    except Exception as error:  # requests', SQLAlchemy's and the file system's errors come through unwrapped
        raise RegistryUnavailable(type(error).__name__) from error


def _registered(version: object) -> RegisteredVersion:
    from mlflow.entities.model_registry import ModelVersion

    assert isinstance(version, ModelVersion)
    return RegisteredVersion(
        registry_name=str(version.name),
        version=str(version.version),
        run_id=str(version.run_id),
        digest=str(version.tags.get(TAG_DIGEST, "")),
        approved=version.tags.get(TAG_APPROVED) == "true",
        withdrawn=TAG_WITHDRAWN in version.tags,
        signed=str(version.tags.get(TAG_SIGNED, "")),
    )
