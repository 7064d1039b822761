"""The metrics of overload: the limit and what is in progress under it. A part of `serving.metrics`, which counts refusals."""

from __future__ import annotations

from typing import Any

PREFIX = "slipway_"


class OverloadMetrics:
    """`Metrics` makes one, as `metrics.overload`. Over several workers all of it adds up."""

    def __init__(self, registry: Any) -> None:
        from prometheus_client import Counter, Gauge

        self.limit = Gauge(
            PREFIX + "concurrency_limit",
            "Predictions that may be in progress at a time, now.",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self.in_progress = Gauge(
            PREFIX + "predictions_in_progress",
            "Requests for predictions in progress, on average over the last moment.",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self.tolerated = Gauge(
            PREFIX + "tolerated_latency_seconds",
            "Latency under load beyond which predictions are refused.",
            multiprocess_mode="livemax",
            registry=registry,
        )
        self.uploads = 0
        self._uploads = Gauge(
            PREFIX + "uploads",
            "Requests whose body is on its way. They are not among those in flight.",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self._made_room = Counter(
            PREFIX + "uploads_made_room",
            "Requests that were not waited for any longer, because too much was on its way.",
            registry=registry,
        )
        self._late = Counter(
            PREFIX + "loop_late_seconds",
            "By how much the event loop came round late.",
            registry=registry,
        )

    def upload_made_room(self) -> None:
        self._made_room.inc()

    def fold(self) -> None:
        self._uploads.set(self.uploads)

    def loop_was_late(self, seconds: float) -> None:
        self._late.inc(seconds)
