"""From spool to SQL: sealed segments, several in one transaction, idempotent by prediction id, deleted after the commit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import structlog

from records.prediction_record import PredictionRecord
from serving.agent.metrics import AgentMetrics
from serving.agent.segments import SegmentContent, SegmentFolder

BATCH_BYTES = 8 * 1024 * 1024  # a full segment


class LogUnreachable(Exception):
    """SQL refused, hung or has no schema yet; the records stay in the spool."""


class RecordsRefused(Exception):
    """At least one of the records is refused for what it is: asking again would not help. None of them is committed."""


class PredictionTable(Protocol):
    """Where records end up."""

    def insert(self, records: Sequence[PredictionRecord]) -> int:
        """Commits the records that are not there yet and returns how many were new.

        Raises LogUnreachable, RecordsRefused.
        """


def _nobody_asks(records: Sequence[PredictionRecord]) -> None:
    """What is told of shipped records where nobody wants them."""


@dataclass(frozen=True)
class _Inserted:
    new: int
    taken: list[PredictionRecord]
    refused: list[PredictionRecord]

    def __add__(self, other: _Inserted) -> _Inserted:
        return _Inserted(self.new + other.new, self.taken + other.taken, self.refused + other.refused)


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

    def deliver(self, content: SegmentContent) -> frozenset[str]:
        """Returns after the commit: the ids of records that SQL refuses for what they are. Raises LogUnreachable."""
        done = self._insert(content.records)
        self._committed(done.taken)
        self._metrics.shipped("committed", done.new)
        self._metrics.shipped("repeated", len(done.taken) - done.new)
        self._metrics.shipped("refused", len(done.refused))
        self._metrics.shipped("corrupt", content.corrupt)
        return frozenset(record.prediction_id for record in done.refused)

    def _insert(self, records: list[PredictionRecord]) -> _Inserted:
        """Halves what is refused until only those are left that are."""
        if not records:
            return _Inserted(0, [], [])
        try:
            return _Inserted(self._table.insert(records), records, [])
        except RecordsRefused:
            if len(records) == 1:
                return _Inserted(0, [], records)
        middle = len(records) // 2
        return self._insert(records[:middle]) + self._insert(records[middle:])


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
        self._well = True

    def step(self) -> bool:
        """Ships all that is sealed now. False when SQL could not take it."""
        try:
            self._segments.adopt_orphans()
            for batch in self._batches():
                self._ship(batch)
            self._measure()
        except LogUnreachable as error:
            return self._not_shipped(str(error))
        except Exception as error:  # the records are still there: whatever it was, the next step tries again
            return self._not_shipped(type(error).__name__, trouble=error)
        self._well = True
        return True

    def _not_shipped(self, reason: str, *, trouble: Exception | None = None) -> bool:
        self._well = False
        self._metrics.ship_failed()
        self._log.warning("prediction log not shipped", reason=reason, exc_info=trouble)
        with suppress(OSError):
            self._measure()
        return False

    def _measure(self) -> None:
        self._metrics.pending.set(self._segments.pending_records())
        self._metrics.oldest.set(self._segments.oldest_age_seconds())
        self._metrics.set_aside.set(self._segments.set_aside_count())

    def _batches(self) -> Iterator[dict[Path, SegmentContent]]:
        """Segments that share a transaction, which costs as many round trips however much it carries. After a failure each has
        one of its own: it may have been too much.
        """
        batch: dict[Path, SegmentContent] = {}
        size, enough = 0, BATCH_BYTES if self._well else 0
        for path in self._segments.sealed():
            try:
                size += path.stat().st_size
                batch[path] = self._segments.read(path)
            except OSError as error:  # it waits, the others need not
                self._not_shipped(f"{path.name}: {type(error).__name__}", trouble=error)
                continue
            if size >= enough:
                yield batch
                batch, size = {}, 0
        if batch:
            yield batch

    def _ship(self, batch: dict[Path, SegmentContent]) -> None:
        records = [record for content in batch.values() for record in content.records]
        corrupt = sum(content.corrupt for content in batch.values())
        refused = self._delivery.deliver(SegmentContent(records, corrupt))
        for path, content in batch.items():
            bad = [name for each in content.records if (name := each.prediction_id) in refused]
            if content.corrupt:
                self._log.error("segment has corrupt records", segment=path.name, corrupt=content.corrupt)
            if bad:
                self._log.error("SQL refuses records", segment=path.name, refused=len(bad), first=bad[0])
            if content.corrupt or bad:
                self._segments.set_aside(path)
            else:
                self._segments.delete(path)
