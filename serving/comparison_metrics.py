"""The metrics of comparing versions: whom a split sent where, and whether its challenger was there. A part of `serving.metrics`.

As there, requests append to plain tallies, and `fold` moves them into prometheus_client.
"""

from __future__ import annotations

from collections import Counter as Tally
from typing import Any

PREFIX = "slipway_"


class ComparisonMetrics:
    """`Metrics` makes one, as `metrics.comparison`."""

    def __init__(self, registry: Any) -> None:
        from prometheus_client import Counter, Gauge

        self._requests = Counter(
            PREFIX + "ab_requests",
            "Requests by the arm of a split.",
            ["model", "version", "arm"],
            registry=registry,
        )
        self._missing = Counter(
            PREFIX + "challenger_missing",
            "Requests that production answered, because their challenger was not loaded.",
            ["model"],
            registry=registry,
        )
        self.challenger_info = Gauge(
            PREFIX + "challenger_info",
            "1 for the challenger that is loaded.",
            ["model", "version"],
            registry=registry,
            multiprocess_mode="livemostrecent",
        )
        self._pending_requests: Tally[tuple[str, str, str]] = Tally()
        self._pending_missing: Tally[str] = Tally()

    def routed(self, model: str, version: str, arm: str) -> None:
        self._pending_requests[model, version, arm] += 1

    def missing(self, model: str) -> None:
        self._pending_missing[model] += 1

    def fold(self) -> None:
        """Moves what was recorded since the last call into prometheus_client."""
        if self._pending_requests:
            for labels, count in _drained(self._pending_requests):
                self._requests.labels(*labels).inc(count)
        if self._pending_missing:
            for model, count in _drained(self._pending_missing):
                self._missing.labels(model).inc(count)


def _drained(tally: Any) -> list[Any]:
    items = list(tally.items())
    tally.clear()
    return items
