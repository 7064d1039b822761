"""The settings of connections: how many, and how long a head may be. Read with the others, by `Settings`."""

from __future__ import annotations

from pydantic import BaseModel, Field


class ConnectionSettings(BaseModel):
    """A part of `serving.settings.Settings`, which is what reads the environment."""

    max_connections: int = Field(
        4096,
        ge=16,
        description="open connections per worker, or what `ulimit -n` has room for; at the limit those that ask "
        "nothing make room, then 503",
    )
    max_header_bytes: int = Field(
        32_768, ge=4096, description="largest head of a request: its first line and its headers"
    )
