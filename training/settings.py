"""The only reader of the environment on the training side."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class TrainingSettings(BaseSettings):
    """An empty variable counts as absent."""

    model_config = SettingsConfigDict(env_ignore_empty=True, frozen=True)

    slipway_raw_dir: Path | None = Field(None, description="Folder of the real raw files; empty: synthetic")
    mlflow_tracking_uri: str = Field("sqlite:///mlflow.db", description="Tracking server and model registry")
    database_url: str = Field("sqlite:///var/slipway.db", description="Where the ledger of moves is kept")
    dvc_remote_url: str | None = Field(None, description="DVC remote for data sets and models")
