"""The settings of hand-over: where a pod that ends leaves what SQL did not take. Read by `Settings`."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, field_validator

SCHEMES = ("file", "s3", "gs", "az")


class HandoffSettings(BaseModel):
    """A part of `serving.settings.Settings`, which is what reads the environment."""

    spool_handoff_url: str = Field(
        "",
        description="where an agent that ends leaves records that SQL did not take, for any other to ship: "
        "`s3://bucket/folder`, `gs://…`, `az://container/folder` or `file:///folder`; empty: nowhere",
    )
    spool_handoff_credentials_file: Path | None = Field(
        None,
        description="file with the provider's variables, such as a line `AWS_ACCESS_KEY_ID=…`; missing or empty: its own way",
    )
    spool_handoff_poll_seconds: float = Field(
        30.0, gt=0, le=3600, description="how often agents look what was left there (jittered)"
    )

    @field_validator("spool_handoff_url")
    @classmethod
    def _is_a_place_without_a_secret(cls, url: str) -> str:
        parts = urlsplit(url)
        if not url:
            return url
        if parts.scheme not in SCHEMES or not (parts.netloc or parts.path.strip("/")):
            raise ValueError(f"must begin with one of {', '.join(f'{each}://' for each in SCHEMES)}")
        if parts.query or parts.fragment or "@" in parts.netloc:
            raise ValueError(
                "holds no credentials: those are the provider's own variables (docs/durability.md)"
            )
        return url
