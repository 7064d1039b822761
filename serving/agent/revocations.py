"""Keeps the pod's list of revocations: SQL is the truth, Redis the quicker way, and what was told once stays until it ends.

Each source is read by a thread of its own, so that one that hangs does not hold up the other.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from auth.revocations import Revocation
from serving.adapters.guarded_redis import RedisDown
from serving.adapters.redis_revocations import RedisRevocations
from serving.agent.metrics import AgentMetrics
from serving.revocation_file import RevocationFile

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from records.revocations import Mark

SQL_SECONDS = 0.5
REDIS_SECONDS = 0.25
PRUNE_SECONDS = 600.0
BUSY_ROWS = 1000
SPARED = timedelta(days=1)  # a pod whose clock is ahead must not delete what still counts for all others

Clock = Callable[[], float]


class PodRevocations:
    """All that is known, in one file. A source that is `sure` knows everything; only then the list is right as of now."""

    def __init__(self, file: RevocationFile, *, clock: Clock = time.time) -> None:
        self._file, self._clock = file, clock
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], Revocation] = {}
        self._written: frozenset[Revocation] | None = None
        self._right_at: float | None = None
        self._remember()

    def merge(self, entries: Iterable[Revocation], *, sure: bool) -> None:
        """Raises OSError when the file cannot be written: nothing is lost, the next turn tries again."""
        with self._lock:
            for each in entries:
                self._add(each)
            now = self._clock()
            self._known = {key: each for key, each in self._known.items() if each.expires_at > now}
            if sure:
                self._right_at = now
            if self._right_at is not None:
                self._publish(self._right_at)

    def _publish(self, right_at: float) -> None:
        entries = frozenset(self._known.values())
        if entries != self._written or self._file.stamp() is None:
            self._file.write(entries, right_at=right_at)
            self._written = entries
        else:
            self._file.still_right(right_at)

    def _add(self, one: Revocation) -> None:
        known = self._known.get((one.kind, one.value), one)
        before = max(known.issued_before, one.issued_before)
        until = max(known.expires_at, one.expires_at)
        self._known[one.kind, one.value] = Revocation(one.kind, one.value, before, until)

    def _remember(self) -> None:
        """An agent before this one may have heard from Redis what SQL was never told."""
        with suppress(OSError, ValueError):
            for each in self._file.read():
                self._add(each)
            stamp = self._file.stamp()
            self._right_at = None if stamp is None else stamp[2] * 1e-9


class SqlTurns:
    """Reads the table when it has changed, copies to Redis what is missing there, and cleans up now and then."""

    def __init__(
        self, engine: Engine, pod: PodRevocations, metrics: AgentMetrics, *, redis: RedisRevocations | None
    ) -> None:
        self._engine, self._pod, self._metrics, self._redis = engine, pod, metrics, redis
        self._mark: Mark | None = None
        self._rows: list[Revocation] = []
        self._prune_at = time.monotonic() + PRUNE_SECONDS * random.random()
        self._complaints = Complaints("sql")

    def step(self) -> None:
        from sqlalchemy.exc import SQLAlchemyError

        try:
            self._read()
            self._pod.merge(self._rows, sure=True)
            self._clean_up()
        except (SQLAlchemyError, OSError) as error:
            self._metrics.revocations_read("sql", "error")
            self._complaints.failed(error)
            return
        self._metrics.revocations_read("sql", "ok")
        self._complaints.worked()
        self._copy()

    def _read(self) -> None:
        from records import revocations

        now = datetime.now(UTC)
        mark = revocations.mark(self._engine, now)
        if mark == self._mark:
            return
        self._rows = [
            Revocation(row.kind, row.value, row.issued_before.timestamp(), row.expires_at.timestamp())
            for row in revocations.active(self._engine, now)
        ]
        self._mark = mark

    def _copy(self) -> None:
        if self._redis is None:
            return
        with suppress(RedisDown):
            told = self._redis.read(time.time())
            there = {(each.kind, each.value) for each in told.entries}
            self._redis.push(row for row in self._rows if (row.kind, row.value) not in there)
            if not told.complete:
                self._redis.mark_complete()

    def _clean_up(self) -> None:
        from records import revocations, sessions

        if time.monotonic() < self._prune_at:
            return
        now = datetime.now(UTC)
        long_ago = now - SPARED
        gone = revocations.prune(self._engine, long_ago), sessions.prune(self._engine, long_ago)
        if max(gone) < BUSY_ROWS:  # otherwise there is more: the next turn goes on
            self._prune_at = time.monotonic() + PRUNE_SECONDS * random.uniform(1, 2)
        if self._redis is not None:
            with suppress(RedisDown):
                self._redis.prune(long_ago.timestamp())


class RedisTurns:
    """Reads all of the set: it holds what was revoked within one token's life."""

    def __init__(self, redis: RedisRevocations, pod: PodRevocations, metrics: AgentMetrics) -> None:
        self._redis, self._pod, self._metrics = redis, pod, metrics
        self._complaints = Complaints("redis")

    def step(self) -> None:
        try:
            told = self._redis.read(time.time())
            self._pod.merge(told.entries, sure=told.complete)
        except (RedisDown, OSError) as error:
            self._metrics.revocations_read("redis", "error")
            self._complaints.failed(error)
            return
        self._metrics.revocations_read("redis", "ok")
        self._complaints.worked()


class Complaints:
    """One line when a source goes and one when it is back, not four a second."""

    def __init__(self, source: str) -> None:
        self._source, self._failing = source, False
        self._log = structlog.get_logger("slipway.agent")

    def failed(self, error: Exception) -> None:
        if not self._failing:
            reason = type(error.__cause__ or error).__name__
            self._log.warning("revocations cannot be read", source=self._source, reason=reason)
        self._failing = True

    def worked(self) -> None:
        if self._failing:
            self._log.info("revocations can be read again", source=self._source)
        self._failing = False
