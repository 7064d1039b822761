"""The way out of spans: bounded, counted, and never in anybody's way."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence

from serving.tracing.batches import BatchLimits, SpanBatches
from serving.tracing.spans import Span
from tests.e2e.waiting import until

PATIENCE = 20.0


def spans(count: int) -> list[Span]:
    return [
        Span(name=f"s{place}", trace_id="1" * 32, span_id="2" * 16, started=1, ended=2)
        for place in range(count)
    ]


class Exporter:
    """Keeps what it gets; while it is `held`, an export takes as long as that."""

    def __init__(self, *, arrives: bool = True) -> None:
        self.batches: list[list[str]] = []
        self.arrives, self.held, self.called = arrives, threading.Event(), threading.Event()
        self.held.set()

    def __call__(self, batch: Sequence[Span]) -> bool:
        self.called.set()
        self.held.wait(PATIENCE)
        self.batches.append([span.name for span in batch])
        return self.arrives


class Counts(Counter[str]):
    def __call__(self, result: str, count: int) -> None:
        self[result] += count


def started(exporter: Exporter, counts: Counts, limits: BatchLimits) -> SpanBatches:
    batches = SpanBatches(lambda: exporter, limits, counts)
    batches.start()
    return batches


def test_spans_arrive_in_order_and_in_batches() -> None:
    exporter, counts = Exporter(), Counts()
    batches = started(exporter, counts, BatchLimits(queue=100, batch=4, delay_seconds=PATIENCE))
    batches.offer(spans(10))
    until(lambda: counts["exported"] == 10, seconds=PATIENCE, what="all are exported")
    assert exporter.batches == [["s0", "s1", "s2", "s3"], ["s4", "s5", "s6", "s7"], ["s8", "s9"]]
    batches.close(PATIENCE)


def test_what_waits_at_the_end_is_exported() -> None:
    exporter, counts = Exporter(), Counts()
    batches = started(exporter, counts, BatchLimits(queue=100, batch=50, delay_seconds=PATIENCE))
    batches.offer(spans(3))
    batches.close(PATIENCE)
    assert exporter.batches == [["s0", "s1", "s2"]]
    assert counts == {"exported": 3}


def test_while_an_exporter_hangs_the_queue_stays_bounded_and_what_does_not_fit_is_counted() -> None:
    exporter, counts = Exporter(), Counts()
    exporter.held.clear()
    batches = started(exporter, counts, BatchLimits(queue=10, batch=5, delay_seconds=0.01))
    batches.offer(spans(5))
    assert exporter.called.wait(PATIENCE)
    batches.offer(spans(8))
    batches.offer(spans(7))
    assert counts == {"dropped": 7}
    batches.close(0.01)
    assert counts == {"dropped": 15}
    exporter.held.set()


def test_spans_that_no_export_takes_are_counted_as_failed() -> None:
    exporter, counts = Exporter(arrives=False), Counts()
    batches = started(exporter, counts, BatchLimits(queue=10, batch=5, delay_seconds=PATIENCE))
    batches.offer(spans(4))
    batches.close(PATIENCE)
    assert counts == {"failed": 4}


def test_an_exporter_that_cannot_be_made_fails_spans_and_nothing_else() -> None:
    def broken() -> Exporter:
        raise ValueError("what the environment says is no address")

    counts = Counts()
    batches = SpanBatches(broken, BatchLimits(queue=10, batch=5, delay_seconds=PATIENCE), counts)
    batches.start()
    batches.start()  # by an errand that was started again
    batches.offer(spans(4))
    batches.close(PATIENCE)
    assert counts == {"failed": 4}
