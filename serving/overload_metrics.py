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
        self._late = Counter(
            PREFIX + "loop_late_seconds",
            "By how much the event loop came round late.",
            registry=registry,
        )

    def loop_was_late(self, seconds: float) -> None:
        self._late.inc(seconds)
