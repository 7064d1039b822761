"""The registry as the agent sees it: which version an alias names, which are approved, and their servables. On MLflow."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

SERVABLE_PATH = "servable"
TAG_DIGEST = "slipway.servable_digest"
TAG_APPROVED = "slipway.approved"
TAG_WITHDRAWN = "slipway.withdrawn"

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


class Registry(Protocol):
    """All methods raise RegistryUnavailable."""

    def behind_alias(self, registry_name: str, alias: str) -> RegisteredVersion | None: ...

    def by_number(self, registry_name: str, version: str) -> RegisteredVersion | None: ...

    def approved(self, registry_name: str) -> list[RegisteredVersion]:
        """Approved versions, newest first."""

    def download(self, version: RegisteredVersion, folder: Path) -> None:
        """The version's servable files, directly in `folder`."""


class MlflowRegistry:
    """Implements `Registry` with an MLflow tracking and registry server, or an `sqlite:` store."""

    def __init__(self, tracking_uri: str) -> None:
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
        beside = folder.with_name(folder.name + ".download")
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        try:
            self._client.download_artifacts(version.run_id, SERVABLE_PATH, str(beside))
        except Exception as error:
            raise RegistryUnavailable(type(error).__name__) from error
        else:
            (beside / SERVABLE_PATH).rename(folder)
        finally:
            shutil.rmtree(beside, ignore_errors=True)


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
    )
