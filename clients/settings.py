"""The one place where the clients read their environment: where the service and its database are."""

from __future__ import annotations

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ClientSettings(BaseSettings):
    """The same names and defaults as the service's own settings, because the demonstration starts that service."""

    model_config = SettingsConfigDict(env_file=None, extra="ignore", frozen=True, env_ignore_empty=True)

    slipway_env: str = Field("production", description="`dev` for the demonstration, which makes a user")
    api_host: str = Field("127.0.0.1", description="address of the service")
    api_port: int = Field(8000, ge=1, le=65535, description="port of the service")
    database_url: SecretStr = Field(
        SecretStr("sqlite:///var/slipway.db"), description="SQLAlchemy URL of users and prediction log"
    )

    @property
    def reachable_host(self) -> str:
        """Where a client on this machine finds a service that listens on `api_host`."""
        return "127.0.0.1" if self.api_host in ("0.0.0.0", "::") else self.api_host  # noqa: S104 (compared, not bound)

    @property
    def base_url(self) -> str:
        return f"http://{self.reachable_host}:{self.api_port}"
