"""One worker's limits, from the settings: a part of `serving.bootstrap`."""

from __future__ import annotations

from serving.metrics import Metrics
from serving.overload.control import Overload
from serving.overload.limit import Bounds
from serving.overload.uploads import LARGEST, Uploads
from serving.overload_settings import OverloadSettings
from serving.settings import Settings


def make_overload(settings: OverloadSettings, metrics: Metrics) -> Overload:
    bounds = Bounds(
        floor=min(settings.concurrency_floor, settings.max_in_flight),
        cap=settings.max_in_flight,
        seconds=settings.concurrency_latency_seconds,
    )
    return Overload(bounds, metrics.overload, adaptive=settings.concurrency_adaptive)


def make_uploads(settings: Settings, overload: Overload, metrics: Metrics) -> Uploads:
    """Half of the connections are left for those who do not send."""
    return Uploads(
        overload,
        metrics,
        max_in_flight=settings.max_in_flight,
        most=settings.max_connections // 2,
        most_bytes=LARGEST * settings.max_body_bytes,
    )
