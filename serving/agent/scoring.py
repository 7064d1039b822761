"""The agent's chore that scores feedback: what was told lately at once, everything that waits now and then."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from serving.agent.feedback_metrics import FeedbackMetrics

if TYPE_CHECKING:
    from sqlalchemy import Engine

BUSY_SECONDS = 0.05
IDLE_SECONDS = 1.0
FRESH = timedelta(minutes=10)
SWEEP_SECONDS = 60.0
SWEEP_SHARE = 0.05  # of the time, however much truth waits for predictions that never come


class FeedbackScoring:
    """One batch per `step`. `most` is by model how far from 0 a truth can be.

    A database that is away costs freshness only: the next step tries again."""

    def __init__(
        self,
        engine: Engine,
        metrics: FeedbackMetrics,
        *,
        most: Mapping[str, float] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine, self._metrics, self._clock = engine, metrics, clock
        self._most = most or {}
        self._sweep_at = 0.0
        self._failing = False
        self._log = structlog.get_logger("slipway.agent")

    def step(self) -> float:
        """Seconds to pause."""
        from sqlalchemy.exc import SQLAlchemyError

        try:
            scored = self._score_fresh() or self._sweep()
        except SQLAlchemyError as error:
            if not self._failing:
                self._log.warning("feedback cannot be scored", reason=type(error).__name__)
            self._failing = True
            return IDLE_SECONDS
        self._failing = False
        return BUSY_SECONDS if scored else IDLE_SECONDS

    def _score_fresh(self) -> int:
        now = datetime.now(UTC)
        return self._score(now, now - FRESH)

    def _sweep(self) -> int:
        started = self._clock()
        if started < self._sweep_at:
            return 0
        scored = self._score(datetime.now(UTC), None)
        if not scored:  # otherwise there may be more
            took = self._clock() - started
            self._sweep_at = self._clock() + max(SWEEP_SECONDS, took / SWEEP_SHARE)
        return scored

    def _score(self, now: datetime, since: datetime | None) -> int:
        from records.feedback_scores import score_waiting

        scores = score_waiting(self._engine, now=now, since=since, most=self._most)
        self._metrics.scored(scores)
        return len(scores)
