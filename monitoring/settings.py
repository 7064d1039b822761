"""The one place where reports read their environment."""

from __future__ import annotations

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from modelkit.shares import parse_shares


class MonitoringSettings(BaseSettings):
    """Settings of the service that reports need, too; the database is an option's or the environment's."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True)

    catalog: str = Field("catalog", description="Python package that holds one folder per model")
    ab_weights: str = Field("", description="what the split should be, as the service is told")

    @field_validator("ab_weights")
    @classmethod
    def _shares(cls, text: str) -> str:
        parse_shares(text)
        return text

    def weight_of(self, model: str) -> float | None:
        return parse_shares(self.ab_weights).get(model)
