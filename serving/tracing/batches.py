"""Spans on their way out: a bounded queue, and a thread that exports what is in it. Requests never wait for it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from serving.logging_settings import LoggingSettings
from serving.seldom import Seldom
from serving.tracing.spans import Span

# Sends spans and says whether they arrived. It may take its time.
Export = Callable[[Sequence[Span]], bool]
Counted = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class BatchLimits:
    queue: int
    batch: int
    delay_seconds: float


def batch_limits(settings: LoggingSettings) -> BatchLimits:
    size = settings.otel_bsp_max_queue_size
    return BatchLimits(
        size, min(size, settings.otel_bsp_max_export_batch_size), settings.otel_bsp_schedule_delay / 1000
    )


class SpanBatches:
    """Implements `Spans`. What does not fit into the queue is dropped and counted, and so is what no export took."""

    def __init__(self, make_export: Callable[[], Export], limits: BatchLimits, counted: Counted) -> None:
        self._make_export, self._limits, self._counted = make_export, limits, counted
        self._waiting: deque[Span] = deque()
        self._wake, self._ending = threading.Event(), False
        self._seldom = Seldom()
        self._thread = threading.Thread(target=self._run, name="spans", daemon=True)

    def start(self) -> None:
        if self._thread.ident is None:
            self._thread.start()

    def offer(self, spans: Sequence[Span]) -> None:
        waiting = self._waiting
        if len(waiting) + len(spans) > self._limits.queue:
            return self._counted("dropped", len(spans))
        waiting.extend(spans)
        if len(waiting) >= self._limits.batch and not self._wake.is_set():
            self._wake.set()

    def close(self, seconds: float) -> None:
        """Exports what waits, for at most so long; what an exporter still holds then is counted as dropped."""
        self._ending = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(seconds)
        if left := len(self._waiting):
            self._waiting.clear()
            self._counted("dropped", left)

    def _run(self) -> None:
        export = self._exporter()
        while not self._ending:
            self._wake.wait(self._limits.delay_seconds)
            self._wake.clear()
            self._export_all(export)
        self._export_all(export)

    def _exporter(self) -> Export:
        try:
            return self._make_export()
        except (
            Exception
        ) as error:  # the environment may say anything, and what it says is none of a request's business
            structlog.get_logger("slipway.service").error("no exporter of spans", exc_info=error)
            return lambda spans: False

    def _export_all(self, export: Export) -> None:
        while self._waiting:
            batch: list[Span] = []
            while self._waiting and len(batch) < self._limits.batch:
                batch.append(self._waiting.popleft())
            self._export_one(export, batch)

    def _export_one(self, export: Export, batch: list[Span]) -> None:
        try:
            arrived = export(batch)
        except Exception as error:
            arrived = False
            self._complain(type(error).__name__)
        self._counted("exported" if arrived else "failed", len(batch))
        if not arrived:
            self._complain("the exporter gave up")

    def _complain(self, reason: str) -> None:
        if self._seldom.due():
            structlog.get_logger("slipway.service").warning("spans not exported", reason=reason)
