"""Places for bodies on their way as a worker has them, under figures of their own."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from serving.metrics import Metrics
from serving.overload.control import Overload
from serving.overload.limit import Bounds
from serving.overload.uploads import Uploads


def uploads_of(
    metrics: Metrics | None = None,
    *,
    most: int = 4,
    most_bytes: int = 10_000,
    max_in_flight: int = 8,
    in_progress: int = 0,
) -> Uploads:
    metrics = metrics or Metrics(CollectorRegistry())
    overload = Overload(Bounds(floor=2, cap=max_in_flight, seconds=0.025), metrics.overload)
    overload.in_progress = in_progress
    return Uploads(overload, metrics, max_in_flight=max_in_flight, most=most, most_bytes=most_bytes)
