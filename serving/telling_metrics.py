"""The metrics of what is told beside answers: spans and log lines by their fate. A part of `serving.metrics`.

They are counted a batch at a time, mostly by the threads that write, so nothing needs to be folded.
"""

from __future__ import annotations

from typing import Any


class TellingMetrics:
    """`Metrics` makes one, as `metrics.telling`."""

    def __init__(self, registry: Any) -> None:
        from prometheus_client import Counter

        self._spans = Counter("slipway_trace_spans", "Spans by fate.", ["result"], registry=registry)
        self._lines = Counter(
            "slipway_log_lines", "Lines about requests and rows.", ["stream", "result"], registry=registry
        )

    def spans(self, result: str, count: int) -> None:
        self._spans.labels(result).inc(count)

    def lines(self, stream: str, result: str, count: int) -> None:
        self._lines.labels(stream, result).inc(count)
