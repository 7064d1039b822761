"""The settings of what is remembered: what is never written down, and for how long the rest is kept. Read by `Settings`."""

from __future__ import annotations

from pydantic import BaseModel, Field


class RecordsSettings(BaseModel):
    """A part of `serving.settings.Settings`, which is what reads the environment."""

    log_redact_fields: str = Field(
        "",
        description="comma-separated fields, such as `basket.user_id`, whose values are never written to the spool, the "
        "database or the model log",
    )
    log_retention_days: float = Field(
        90.0,
        ge=0,
        le=36_500,
        description="predictions, with their feedback and shadows, are deleted after so many days; 0: never",
    )
