"""The settings of signed versions, and what the program that tries a version inherits. Read with the others, by `Settings`."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, Field


class SigningSettings(BaseModel):
    """A part of `serving.settings.Settings`, which is what reads the environment."""

    model_verify_keys_file: Path | None = Field(
        None,
        description="public keys, one after another, of those whose signature on a version counts; unset: none is looked at",
    )
    require_signed_models: bool | None = Field(
        None, description="serve no version that none of these keys signed; unset: in production"
    )
    model_load_limit_bytes: int = Field(
        256 * 1024 * 1024,
        ge=16 * 1024 * 1024,
        description="memory that one version may take while it is tried, and the largest download",
    )
