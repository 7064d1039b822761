"""The metrics of explanations: how many there were, with what result, and how long one took. A part of `serving.metrics`."""

from __future__ import annotations

from typing import Any

PREFIX = "slipway_"
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class ExplanationMetrics:
    """`Metrics` makes one, as `metrics.explanations`. Explanations are rare and slow: nothing is collected beforehand."""

    def __init__(self, registry: Any) -> None:
        from prometheus_client import Counter, Histogram

        self._explanations = Counter(
            PREFIX + "explanations", "Explained rows.", ("model", "result"), registry=registry
        )
        self._durations = Histogram(
            PREFIX + "explanation_duration_seconds",
            "Of explanations that were computed, waiting for their turn included.",
            ("model",),
            buckets=BUCKETS,
            registry=registry,
        )

    def explained(self, model: str, result: str, count: int = 1) -> None:
        self._explanations.labels(model, result).inc(count)

    def computed(self, model: str, seconds: float) -> None:
        self.explained(model, "computed")
        self._durations.labels(model).observe(seconds)
