"""The settings of overload. Read with the others, by `Settings`."""

from __future__ import annotations

from pydantic import BaseModel, Field


class OverloadSettings(BaseModel):
    """A part of `serving.settings.Settings`, which is what reads the environment."""

    max_in_flight: int = Field(
        512, ge=1, description="requests in progress per worker before shedding with 503"
    )
    concurrency_adaptive: bool = Field(
        True,
        description="limit predictions in progress by what the worker can answer in time, `MAX_IN_FLIGHT` at most; off: "
        "`MAX_IN_FLIGHT` alone",
    )
    concurrency_floor: int = Field(
        2,
        ge=1,
        description="the adaptive limit never falls below this; one is computed while another one waits",
    )
    concurrency_latency_seconds: float = Field(
        0.025,
        gt=0,
        le=5,
        description="latency under load that is no reason to refuse anybody; for slow models 2.5 times their own is not "
        "either",
    )
