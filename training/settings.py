"""The only reader of the environment on the training side."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Literal

from pydantic import AliasChoices, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from records.mounted_secrets import with_mounted_secrets


class TrainingSettings(BaseSettings):
    """An empty variable counts as absent. `DATABASE_URL_FILE` and its like mean what they mean to the service."""

    model_config = SettingsConfigDict(env_ignore_empty=True, frozen=True, hide_input_in_errors=True)

    catalog: str = Field("catalog", description="Package of the declared models, as in serving")
    slipway_raw_dir: Path | None = Field(None, description="Folder of the real raw files; empty: synthetic")
    slipway_env: Literal["dev", "staging", "production"] = Field(
        "production",
        description="What is promoted; synthetic data only in `dev`, as development defaults in serving",
    )
    require_real_data: bool = Field(
        False, description="Synthetic data nowhere: not as raw files, and not behind an alias"
    )
    mlflow_tracking_uri: str = Field("sqlite:///mlflow.db", description="Tracking server and model registry")
    database_url: str = Field("sqlite:///var/slipway.db", description="Where the ledger of moves is kept")
    database_url_file: Path | None = Field(None, description="The same from a mounted file")
    features_url: str = Field("data/online", description="Where materialised features go, and serving looks")
    features_url_file: Path | None = Field(None, description="The same from a mounted file")
    dvc_remote_url: str | None = Field(None, description="DVC remote for data sets and models")
    optuna_storage: str = Field("sqlite:///var/optuna.db", description="Where searches share their studies")
    replay_rows: int = Field(
        500, ge=0, description="How many logged requests a version must answer before an alias moves"
    )
    replay_database_url: str | None = Field(None, description="Prediction log to replay; empty: DATABASE_URL")
    require_staging: bool = Field(False, description="Only what is or was in staging may go into production")
    model_signing_key: SecretStr | None = Field(
        None, description="Private key (PEM) that signs what is promoted; empty: nothing is signed"
    )
    model_signing_key_file: Path | None = Field(None, description="The same from a mounted file")
    model_verify_keys_file: Path | None = Field(
        None,
        description="Public keys whose signatures `verify` and `batch` take; empty: `verify` takes that of MODEL_SIGNING_KEY",
    )
    drift_psi: float = Field(0.2, gt=0, description="A column with this PSI or more has drifted")
    s3_endpoint_url: str | None = Field(
        None,
        description="Object storage other than Amazon's, for batch files",
        validation_alias=AliasChoices("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
    )
    s3_region: str | None = Field(
        None,
        description="Region of the bucket of batch files",
        validation_alias=AliasChoices("AWS_REGION", "AWS_DEFAULT_REGION"),
    )
    ray_address: str | None = Field(
        None, description="Ray cluster of `batch --engine ray`; empty: a local one"
    )

    @property
    def signing_key(self) -> bytes | None:
        """Raises OSError for a file that cannot be read; an empty one means that nothing is signed."""
        if self.model_signing_key_file is not None:
            return self.model_signing_key_file.read_bytes().strip() or None
        return self.model_signing_key.get_secret_value().encode() if self.model_signing_key else None

    @property
    def only_real_data(self) -> bool:
        """Whether an alias may only move to what learned from measured data."""
        return self.require_real_data or self.slipway_env != "dev"

    @model_validator(mode="before")
    @classmethod
    def _from_files(cls, values: dict[str, Any]) -> dict[str, Any]:
        return with_mounted_secrets(values, ("database_url", "features_url"), overruling=("features_url",))


def stage_environment() -> dict[str, str]:
    """For the processes of `dvc repro`: stages say `python`, and mean the one that runs this."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return {**os.environ, "PATH": path, "DVC_NO_ANALYTICS": "1"}
