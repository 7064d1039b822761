"""What truth says of each version: the agent's metrics of feedback, and of what retention deleted. A part of `AgentMetrics`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from records.feedback_scores import Score

# Models measure in minutes, days, pounds or hundreds of thousands: three to a decade, and the sum and the count are exact.
ERROR_BUCKETS = tuple(step * 10.0**power for power in range(-2, 4) for step in (1, 2, 5))


class FeedbackMetrics:
    """`AgentMetrics` makes one, as `metrics.feedback`."""

    def __init__(self, registry: Any) -> None:
        from prometheus_client import Counter, Histogram

        def counter(name: str, text: str, *labels: str) -> Any:
            return Counter(f"slipway_{name}", text, labels, registry=registry)

        self._feedback = counter("feedback", "Truth that met its prediction.", "model", "version", "result")
        self._errors = Histogram(
            "slipway_model_abs_error",
            "Distance of predicted numbers from the truth, in the model's units.",
            ("model", "version"),
            buckets=ERROR_BUCKETS,
            registry=registry,
        )
        self._correct = counter("model_correct", "Labels beside the truth.", "model", "version", "result")
        self._inside = counter("model_interval", "Truth beside its bounds.", "model", "version", "result")
        self._deleted = counter("retention_deleted", "Rows deleted for their age.", "table")

    def scored(self, scores: Iterable[Score]) -> None:
        for each in scores:
            labels = each.model, each.version
            if each.refusal:
                self._feedback.labels(*labels, "refused").inc()
                continue
            self._feedback.labels(*labels, "rescored" if each.again else "scored").inc()
            if each.absolute_error is not None:
                self._errors.labels(*labels).observe(each.absolute_error)
            if each.correct is not None:
                self._correct.labels(*labels, "right" if each.correct else "wrong").inc()
            if each.inside is not None:
                self._inside.labels(*labels, "inside" if each.inside else "outside").inc()

    def deleted(self, table: str, count: int) -> None:
        if count:
            self._deleted.labels(table).inc(count)
