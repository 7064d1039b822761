"""The metrics of following: which version a pod wants, beside `slipway_model_info`, which says what it has."""

from __future__ import annotations

from typing import Any


class FollowingMetrics:
    """`Metrics` makes one, as `metrics.following`."""

    def __init__(self, registry: Any) -> None:
        from prometheus_client import Gauge

        self._desired = Gauge(
            "slipway_model_desired",
            "1 for the version that is wanted.",
            ("model", "version"),
            multiprocess_mode="livemostrecent",
            registry=registry,
        )
        self._last: dict[str, str] = {}

    def desires(self, model: str, version: str | None) -> None:
        before = self._last.get(model)
        if version is None or version == before:
            return
        if before is not None:
            self._desired.labels(model, before).set(0)
        self._desired.labels(model, version).set(1)
        self._last[model] = version
