"""The metrics of gRPC: calls by method and status code. A part of `serving.metrics`; without GRPC_PORT all stay empty.

As there, calls append to plain lists, and `fold` moves them into prometheus_client. Predictions themselves, and requests in
progress, are counted with those of other protocols.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

PREFIX = "slipway_"
BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class GrpcMetrics:
    """`Metrics` makes one, as `metrics.grpc`. `method` is one of ours or `unknown`; `code` a name of gRPC's."""

    def __init__(self, registry: Any) -> None:
        from prometheus_client import Counter, Histogram

        self._requests = Counter(
            PREFIX + "grpc_requests", "Answered gRPC calls.", ["method", "code"], registry=registry
        )
        self._durations = Histogram(
            PREFIX + "grpc_request_duration_seconds",
            "From arrival to answer; streams are not in it.",
            ["method"],
            buckets=BUCKETS,
            registry=registry,
        )
        self._pending: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
        self._streams: list[tuple[str, str]] = []

    def finished(self, method: str, code: str, seconds: float) -> None:
        self._pending[method, code].append(seconds)

    def stream_ended(self, method: str, code: str) -> None:
        """However long it was open says nothing about us."""
        self._streams.append((method, code))

    def fold(self) -> None:
        """Moves what was recorded since the last call into prometheus_client."""
        pending, streams = list(self._pending.items()), self._streams
        self._pending.clear()
        self._streams = []
        for (method, code), seconds in pending:
            self._requests.labels(method, code).inc(len(seconds))
            duration = self._durations.labels(method)
            for each in seconds:
                duration.observe(each)
        for method, code in streams:
            self._requests.labels(method, code).inc()
