"""Slipway's prediction log seen from outside: rows in SQL, how soon the backlog is gone, and whether every id is there."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.client import get
from bench.errors import BenchError

POLL_SECONDS = 0.1
QUIET_SECONDS = 1.0
LIMIT_SECONDS = 120.0
IDS_PER_QUERY = 500
ANSWERED = re.compile(r"^slipway_predictions_total\{[^}]*\} ([0-9.e+]+)$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class PredictionLog:
    database: Path

    def rows(self) -> int:
        """0 while the agent has not made the schema yet."""
        with contextlib.suppress(sqlite3.OperationalError):
            return self._number("SELECT COUNT(*) FROM predictions", ())
        return 0

    def shadowed(self) -> int:
        """Rows that another version has answered in the shadow."""
        return self._number("SELECT COUNT(*) FROM shadow_predictions", ())

    def wait_until_shipped(self, *, at_least: int) -> float:
        """Seconds until the rows were there and no more came. Requests in flight at wrk's end make more than it counted."""
        started = changed = time.monotonic()
        known = self.rows()
        while (now := time.monotonic()) - started < LIMIT_SECONDS:
            if known >= at_least and now - changed > QUIET_SECONDS:
                return changed - started
            time.sleep(POLL_SECONDS)
            if (found := self.rows()) != known:
                known, changed = found, time.monotonic()
        return LIMIT_SECONDS

    def found_once(self, ids: Sequence[str]) -> int:
        """How many of the prediction ids have exactly one row."""
        found = 0
        for first in range(0, len(ids), IDS_PER_QUERY):
            part = ids[first : first + IDS_PER_QUERY]
            marks = ",".join("?" * len(part))
            found += self._number(
                "SELECT COUNT(*) FROM (SELECT prediction_id FROM predictions "  # noqa: S608 - question marks only
                f"WHERE prediction_id IN ({marks}) GROUP BY prediction_id HAVING COUNT(*) = 1)",
                part,
            )
        return found

    def _number(self, query: str, values: Sequence[str]) -> int:
        with contextlib.closing(
            sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=30)
        ) as connection:
            number: int = connection.execute(query, values).fetchone()[0]
            return number


def answered_predictions(port: int) -> int:
    """Prediction rows that the service says it answered."""
    answer = get(port, "/metrics")
    if answer.status != 200:
        raise BenchError(f"slipway's /metrics answered {answer.status}")
    return count_answered(answer.body.decode())


def count_answered(exposition: str) -> int:
    return round(sum(float(value) for value in ANSWERED.findall(exposition)))
