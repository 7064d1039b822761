"""The metrics of the shadow, a part of the agent's."""

from __future__ import annotations

from typing import Any

BUCKETS = (0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 500.0)


class ShadowMetrics:
    """`version` is the challenger's, empty where none was there to be asked."""

    def __init__(self, registry: Any) -> None:
        from prometheus_client import Counter, Histogram

        self._compared = Counter(
            "slipway_shadow_comparisons",
            "Sampled rows by what became of them.",
            ["model", "version", "result"],
            registry=registry,
        )
        self._differences = Histogram(
            "slipway_shadow_abs_difference",
            "Between the challenger's answer and the one that was given; of labels 0 or 1.",
            ["model", "version"],
            buckets=BUCKETS,
            registry=registry,
        )

    def compared(self, model: str, version: str, result: str, count: int = 1) -> None:
        if count:
            self._compared.labels(model, version, result).inc(count)

    def differed(self, model: str, version: str, difference: float) -> None:
        self._differences.labels(model, version).observe(difference)
