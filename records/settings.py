"""The one place where the commands of the database and of users read their environment: which database is meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from records.mounted_secrets import with_mounted_secrets


class DatabaseSettings(BaseSettings):
    """No default here: a command that changes a database is told which one."""

    model_config = SettingsConfigDict(
        env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    database_url: SecretStr | None = Field(None, description="SQLAlchemy URL")
    database_url_file: Path | None = Field(None, description="the same from a mounted file")

    @model_validator(mode="before")
    @classmethod
    def _from_files(cls, values: dict[str, Any]) -> dict[str, Any]:
        return with_mounted_secrets(values, ("database_url",))


class CatalogSettings(BaseSettings):
    """Which models there are, as the service is told."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True)

    catalog: str = Field("catalog", description="Python package that holds one folder per model")
