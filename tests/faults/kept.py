"""The `predictions` table against what clients were told: what is lost, what is doubled, and how long the rest took."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select

from records.engine import open_engine
from records.tables import Prediction
from tests.e2e.running_service import RunningService
from tests.faults.seen import Seen

LOOK_SECONDS = 0.1
PENDING = (".open", ".sealed", ".new")


@dataclass(frozen=True, kw_only=True)
class Kept:
    """`lost`: acknowledged and not there. `doubled`: requests (of one row each) with more than one row. `invented`: rows
    of requests that were answered otherwise."""

    lost: int
    doubled: int
    invented: int


def seconds_to_empty(service: RunningService, *, patience: float) -> float | None:
    """How long the spool took to be shipped, once nobody predicts any more; None where it was not within `patience`."""
    begin = time.monotonic()
    while any(path.suffix in PENDING for path in service.spool.glob("*-*")):
        if time.monotonic() - begin > patience:
            return None
        time.sleep(LOOK_SECONDS)
    return time.monotonic() - begin


def compare(database_url: str, seen: Seen, prefix: str, *, either_way: Collection[str] = ()) -> Kept:
    """Records of refusals with one of these codes may be there or not."""
    rows = _rows(database_url, prefix)
    told = seen.acknowledged
    asked = Counter(rows.values())
    unanswered = {
        sample.request_id for sample in seen.samples if sample.status == 0 or sample.code in either_way
    }
    beyond = [name for name, request_id in rows.items() if name not in told and request_id not in unanswered]
    return Kept(
        lost=sum(rows.get(name) != request_id for name, request_id in told.items()),
        doubled=sum(count > 1 for count in asked.values()),
        invented=0 if seen.never_answered else len(beyond),
    )


def _rows(database_url: str, prefix: str) -> dict[str, str]:
    engine = open_engine(database_url)
    columns = select(Prediction.prediction_id, Prediction.request_id)
    try:
        with engine.connect() as connection:
            found = connection.execute(columns.where(Prediction.request_id.startswith(prefix))).all()
    finally:
        engine.dispose()
    return {row[0]: row[1] for row in found}
