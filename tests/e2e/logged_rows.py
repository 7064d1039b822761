"""The `predictions` table against what clients were told."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from sqlalchemy import select

from records.engine import open_engine
from records.tables import Prediction
from tests.e2e.load import Load
from tests.e2e.waiting import until

SHIP_SECONDS = 60.0


def logged(database_url: str) -> dict[str, str]:
    """Prediction id to request id, of every row; fails where an id is there twice."""
    engine = open_engine(database_url)
    try:
        with engine.connect() as connection:
            rows = connection.execute(select(Prediction.prediction_id, Prediction.request_id)).all()
    finally:
        engine.dispose()
    repeated = [name for name, count in Counter(row[0] for row in rows).items() if count > 1]
    assert repeated == []
    return {row[0]: row[1] for row in rows}


def wait_until_shipped(spool: Path) -> None:
    """To be asked once nobody predicts any more."""

    def is_empty() -> bool:
        return not [path for path in spool.glob("*-*") if path.suffix in (".open", ".sealed", ".new")]

    until(is_empty, seconds=SHIP_SECONDS, what=f"the spool is empty: {sorted(spool.iterdir())}")


def assert_every_answer_is_logged_once(load: Load, database_url: str) -> None:
    """Every answer is there under its own request; rows without an answer belong to requests that lost theirs."""
    rows = logged(database_url)
    answered = {answer.prediction_id: answer.request_id for answer in load.answers}
    assert len(answered) == len(load.answers), "an id was given to two answers"
    assert {name: rows.get(name) for name in answered} == answered
    beyond = Counter(request_id for name, request_id in rows.items() if name not in answered)
    assert set(beyond) <= set(load.unanswered)
    assert set(beyond.values()) <= {1}
