"""The agent's chore that forgets: rows older than `LOG_RETENTION_DAYS`, segments set aside, and spent login bookkeeping."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from auth.lockout import FORGOTTEN_AFTER_SECONDS, KNOWN_FOR_SECONDS
from serving.agent.feedback_metrics import FeedbackMetrics
from serving.agent.handoff_store import HandoffUnreachable

if TYPE_CHECKING:
    from sqlalchemy import Engine

REST_SECONDS = 300.0
BUSY_SHARE = 0.1  # of the time, while there is much to delete
LEAST_PAUSE_SECONDS = 0.05
FAILED_SECONDS = 30.0


class SetAside(Protocol):
    """A place that keeps damaged segments for a person to look at."""

    def set_aside_before(self, moment: float) -> Sequence[PurePath]:
        """Those put there before `moment`, in seconds since the epoch."""

    def delete(self, path: Any) -> None: ...


class Retention:
    """Some rows per `step`; several agents share the work, and none waits for another."""

    def __init__(
        self,
        engine: Engine,
        places: Sequence[SetAside],
        metrics: FeedbackMetrics,
        *,
        days: float,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Rows stay for ever where `days` is 0."""
        self._engine, self._places, self._metrics = engine, places, metrics
        self._days, self._clock = days, clock
        self._log = structlog.get_logger("slipway.agent")

    def step(self) -> float:
        """Seconds to pause."""
        from sqlalchemy.exc import SQLAlchemyError

        started = time.monotonic()
        try:
            if self._delete_rows():
                return max(LEAST_PAUSE_SECONDS, (time.monotonic() - started) / BUSY_SHARE)
            self._prune_logins()
            self._drop_segments()
        except (SQLAlchemyError, HandoffUnreachable) as error:
            self._log.warning("old records cannot be deleted", reason=type(error).__name__)
            return FAILED_SECONDS
        return REST_SECONDS * random.uniform(1, 2)

    def _delete_rows(self) -> bool:
        from records.retention import delete_old

        if not self._days:
            return False
        deleted = delete_old(self._engine, before=self._clock() - timedelta(days=self._days))
        for table, count in deleted.rows.items():
            self._metrics.deleted(table, count)
        return deleted.more

    def _prune_logins(self) -> None:
        """Only failures did this before: where nobody mistypes, addresses would stay."""
        from records import known_addresses, login_failures

        now = self._clock()
        login_failures.prune(self._engine, before=now - timedelta(seconds=FORGOTTEN_AFTER_SECONDS))
        known_addresses.prune(self._engine, before=now - timedelta(seconds=KNOWN_FOR_SECONDS))

    def _drop_segments(self) -> None:
        """Those set aside for a person to look at: all that could be read of them is in SQL. They go when they are as old as
        rows may be, and all of them once somebody was erased: whose the unreadable rest is, nobody can tell.
        """
        from records.erasures import latest

        erased = latest(self._engine)
        before = self._oldest_kept(erased)
        for place in self._places:
            for path in place.set_aside_before(before):
                place.delete(path)
                self._metrics.deleted("spool", 1)
                self._log.info("segment forgotten", segment=path.name)

    def _oldest_kept(self, erased: datetime | None) -> float:
        old = self._clock() - timedelta(days=self._days) if self._days else None
        return max((moment.timestamp() for moment in (erased, old) if moment is not None), default=0.0)
