"""Hand-over of the prediction log: a pod that ends leaves what SQL did not take, and any other pod's agent ships it.

Exactly once is the prediction id's doing, as everywhere: a segment is deleted where it was only after it is safe where it goes,
so that a kill in between leaves it in both places and a row in one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path, PurePosixPath

import structlog

from serving.agent.handoff_metrics import HandoffMetrics
from serving.agent.handoff_store import HandoffDamaged, HandoffStore, HandoffUnreachable, Waiting
from serving.agent.segments import SegmentFolder, read_records
from serving.agent.shipper import Delivery, LogUnreachable
from serving.spool import CORRUPT, records_in_name

UPLOADS_AT_ONCE = 8
DAY_SECONDS = 86_400.0
KEPT = ("corrupt", "refused")  # for a person to look at


class Handover:
    """The side of the pod that ends."""

    def __init__(self, segments: SegmentFolder, store: HandoffStore, metrics: HandoffMetrics) -> None:
        self._segments, self._store, self._metrics = segments, store, metrics
        self._log = structlog.get_logger("slipway.agent")

    def run(self, seconds: float) -> int:
        """Leaves everything that is still in the spool, and says how many segments it could not in so many seconds."""
        give_up_at = time.monotonic() + seconds
        self._segments.adopt_orphans()
        # Damaged ones last: what could be read of them is in SQL.
        paths = [*self._segments.sealed(), *self._segments.set_aside_before(float("inf"))]
        if not paths:
            return 0
        pool = ThreadPoolExecutor(UPLOADS_AT_ONCE, thread_name_prefix="handover")
        uploads = [pool.submit(self._leave, path, give_up_at) for path in paths]
        done = wait(uploads, timeout=seconds).done
        pool.shutdown(wait=False, cancel_futures=True)
        left = len(paths) - sum(upload.result() for upload in done if not upload.cancelled())
        tell = self._log.error if left else self._log.info
        tell("segments handed over", handed_over=len(paths) - left, left_behind=left)
        return left

    def _leave(self, path: Path, give_up_at: float) -> bool:
        if time.monotonic() > give_up_at:
            return False
        try:
            content, damaged = path.read_bytes(), path.suffix == CORRUPT
            name = self._store.put(content, records_in_name(path), damaged=damaged)
            self._segments.delete(path)
        except FileNotFoundError:  # shipped at the last moment
            return True
        except (HandoffUnreachable, OSError) as error:
            self._metrics.segment("failed")
            self._log.error("segment not handed over", segment=path.name, reason=str(error))
            return False
        self._metrics.segment("handed_over")
        self._log.info("segment handed over", segment=path.name, under=name.name)
        return True


class Adoption:
    """The side of every agent that lives: ships what others left."""

    def __init__(
        self,
        store: HandoffStore,
        delivery: Delivery,
        metrics: HandoffMetrics,
        *,
        keep_days: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """What is older than records may be is deleted unread: who was erased that long ago is forgotten, too."""
        self._store, self._delivery, self._metrics = store, delivery, metrics
        self._keep_seconds, self._clock = keep_days * DAY_SECONDS, clock
        self._log = structlog.get_logger("slipway.agent")

    def step(self) -> None:
        """Looks once, and ships until nothing is left or SQL takes no more."""
        try:
            waiting = self._look()
            with suppress(LogUnreachable):  # it says so itself, where its own records are shipped
                for segment in waiting:
                    self._take(segment)
            self._look()
        except HandoffUnreachable as error:
            self._metrics.store_failed()
            self._log.warning("handed-over segments cannot be looked for", reason=str(error))

    def _look(self) -> list[Waiting]:
        waiting = self._store.waiting()
        self._metrics.waiting.set(len(waiting))
        self._metrics.oldest.set(max(0.0, self._clock() - waiting[0].since) if waiting else 0.0)
        return waiting

    def _take(self, segment: Waiting) -> None:
        if self._keep_seconds and segment.since < self._clock() - self._keep_seconds:
            self._settle(segment.name, "expired")
        elif self._store.claim(segment.name):
            try:
                fate = self._shipped(segment)
            finally:  # first: who dies here leaves a segment that is shipped again, and no claim on what is gone
                self._store.release(segment.name)
            self._settle(segment.name, fate)

    def _shipped(self, segment: Waiting) -> str:
        """What became of it; nothing where another agent was quicker."""
        try:
            found = self._store.content(segment.name)
        except HandoffDamaged:
            return "corrupt"
        if found is None:
            return ""
        content = read_records(found, said=segment.records)
        if refused := self._delivery.deliver(content):
            self._log.error("SQL refuses records", segment=segment.name.name, refused=len(refused))
            return "refused"
        return "corrupt" if content.corrupt else "adopted"

    def _settle(self, name: PurePosixPath, fate: str) -> None:
        if not fate:
            return
        if fate in KEPT:
            self._store.set_aside(name)
        else:
            self._store.delete(name)
        self._told(name, fate)

    def _told(self, name: PurePosixPath, result: str) -> None:
        self._metrics.segment(result)
        self._log.info("segment of another pod", segment=name.name, result=result)
