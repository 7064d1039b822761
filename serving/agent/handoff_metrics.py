"""What the agent says of segments that pods leave for each other."""

from __future__ import annotations

from typing import Any


class HandoffMetrics:
    """`handed_over` is said by an agent that ends: whoever scrapes rarely reads it in its log instead."""

    def __init__(self, registry: Any) -> None:
        from prometheus_client import Counter, Gauge

        shared: dict[str, Any] = {"registry": registry}
        self._segments = Counter("slipway_handoff_segments", "Segments by fate.", ["result"], **shared)
        self._failures = Counter(
            "slipway_handoff_store_failures", "Looks at SPOOL_HANDOFF_URL that failed.", **shared
        )
        self.waiting = Gauge(
            "slipway_handoff_waiting_segments",
            "Segments at SPOOL_HANDOFF_URL that nobody has shipped.",
            **shared,
        )
        self.oldest = Gauge("slipway_handoff_oldest_seconds", "How long the oldest has waited.", **shared)

    def segment(self, result: str) -> None:
        self._segments.labels(result).inc()

    def store_failed(self) -> None:
        self._failures.inc()
