"""From spool to SQL: each sealed segment in one transaction, idempotent by prediction id, deleted after the commit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import structlog

from records.prediction_record import PredictionRecord
from serving.agent.metrics import AgentMetrics
from serving.agent.segments import SegmentContent, SegmentFolder


class LogUnreachable(Exception):
    """SQL refused, hung or has no schema yet; the records stay in the spool."""


class PredictionTable(Protocol):
    """Where records end up."""

    def insert(self, records: Sequence[PredictionRecord]) -> int:
        """Commits the records that are not there yet and returns how many were new. Raises LogUnreachable."""


def _nobody_asks(records: Sequence[PredictionRecord]) -> None:
    """What is told of shipped records where nobody wants them."""


class Delivery:
    """Brings what a segment held into the table, and counts it."""

    def __init__(
        self,
        table: PredictionTable,
        metrics: AgentMetrics,
        *,
        committed: Callable[[Sequence[PredictionRecord]], None] = _nobody_asks,
    ) -> None:
        """`committed` is told what is safe in SQL; it neither waits nor raises."""
        self._table, self._metrics, self._committed = table, metrics, committed

    def deliver(self, content: SegmentContent) -> None:
        """Returns after the commit. Raises LogUnreachable."""
        new = self._table.insert(content.records) if content.records else 0
        self._committed(content.records)
        self._metrics.shipped("committed", new)
        self._metrics.shipped("repeated", len(content.records) - new)
        self._metrics.shipped("corrupt", content.corrupt)


class Shipper:
    """Ships in `step`; a crash at any point repeats work but never a row."""

    def __init__(
        self,
        segments: SegmentFolder,
        table: PredictionTable,
        metrics: AgentMetrics,
        *,
        committed: Callable[[Sequence[PredictionRecord]], None] = _nobody_asks,
    ) -> None:
        self._segments, self._metrics = segments, metrics
        self._delivery = Delivery(table, metrics, committed=committed)
        self._log = structlog.get_logger("slipway.agent")

    def step(self) -> bool:
        """Ships all that is sealed now. False when SQL could not take it."""
        try:
            self._segments.adopt_orphans()
            for path in self._segments.sealed():
                self._ship(path)
            self._measure()
        except LogUnreachable as error:
            return self._not_shipped(str(error))
        except Exception as error:  # the records are still there: whatever it was, the next step tries again
            return self._not_shipped(type(error).__name__, trouble=error)
        return True

    def _not_shipped(self, reason: str, *, trouble: Exception | None = None) -> bool:
        self._metrics.ship_failed()
        self._log.warning("prediction log not shipped", reason=reason, exc_info=trouble)
        with suppress(OSError):
            self._measure()
        return False

    def _measure(self) -> None:
        self._metrics.pending.set(self._segments.pending_records())
        self._metrics.oldest.set(self._segments.oldest_age_seconds())
        self._metrics.set_aside.set(self._segments.set_aside_count())

    def _ship(self, path: Path) -> None:
        try:
            content = self._segments.read(path)
        except OSError as error:  # it waits, the others need not
            self._not_shipped(f"{path.name}: {type(error).__name__}", trouble=error)
            return
        self._delivery.deliver(content)
        if content.corrupt:
            self._log.error("segment has corrupt records", segment=path.name, corrupt=content.corrupt)
            self._segments.set_aside(path)
        else:
            self._segments.delete(path)
