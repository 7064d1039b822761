"""The settings of explanations, and what their program inherits of the environment: nothing that is secret."""

from __future__ import annotations

import os

from pydantic import BaseModel, Field

# Where Python, its libraries and its temporary files are; no address, no key, no password.
INHERITED = (
    *("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH"),
    *("PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV"),
)


class ExplanationSettings(BaseModel):
    """A part of `serving.settings.Settings`, which is what reads the environment."""

    explain_enabled: bool = Field(
        True, description="serve `/explain/{model}`; its program starts with the first explanation"
    )
    explain_queue: int = Field(
        16,
        ge=1,
        le=1000,
        description="explanations on their way, per worker, before a 503; half of them one caller's at most, while others ask",
    )
    explain_max_rows: int = Field(8, ge=1, le=1000, description="most rows in one request to `/explain`")
    explain_evaluations: int = Field(
        32_768,
        ge=1024,
        le=10_000_000,
        description="rows that an explanation may ask its model; where exact contributions need more, they are estimated",
    )
    explain_cache_entries: int = Field(
        2_000, ge=0, description="explanations kept in the process, per worker"
    )


def explainer_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name in INHERITED}
