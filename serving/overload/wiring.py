"""One worker's limit, from the settings: a part of `serving.bootstrap`."""

from __future__ import annotations

from serving.metrics import Metrics
from serving.overload.control import Overload
from serving.overload.limit import Bounds
from serving.overload_settings import OverloadSettings


def make_overload(settings: OverloadSettings, metrics: Metrics) -> Overload:
    bounds = Bounds(
        floor=min(settings.concurrency_floor, settings.max_in_flight),
        cap=settings.max_in_flight,
        seconds=settings.concurrency_latency_seconds,
    )
    return Overload(bounds, metrics.overload, adaptive=settings.concurrency_adaptive)
