"""The metrics of connections: how many are open, and how often one was ended by us and why. A part of `serving.metrics`."""

from __future__ import annotations

from typing import Any

PREFIX = "slipway_"


class ConnectionMetrics:
    """`Metrics` makes one, as `metrics.connections`. `reason` is one of `serving.connections.ends.End`."""

    def __init__(self, registry: Any) -> None:
        from prometheus_client import Counter, Gauge

        self.open = 0
        self._open = Gauge(
            PREFIX + "http_connections", "Open connections.", registry=registry, multiprocess_mode="livesum"
        )
        self._ended = Counter(
            PREFIX + "http_connections_ended",
            "Connections that the service ended for what the client did.",
            ["reason"],
            registry=registry,
        )

    def ended(self, reason: str) -> None:
        self._ended.labels(reason).inc()

    def fold(self) -> None:
        self._open.set(self.open)
