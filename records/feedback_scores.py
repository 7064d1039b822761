"""Where truth meets its prediction: claimed by one of many agents in a transaction, scored, and told only once committed.

The latest truth goes first. Truth whose prediction has not come yet stays as it is, and is looked at again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, Engine, Select, Table, bindparam, select, update

from records.tables import Feedback, Prediction
from records.truth import LARGEST, PLAUSIBLE, expected

AT_ONCE = 500
ANY: Mapping[str, float] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One truth beside its prediction. `refusal` says why it cannot be the truth; then nothing else is known.

    `inside` is whether a number lay in the prediction's bounds; None without bounds. `again`: there was a score before, of
    another value.
    """

    model: str
    version: str
    absolute_error: float | None = None
    correct: bool | None = None
    inside: bool | None = None
    again: bool = False
    refusal: str = ""


def score_waiting(
    engine: Engine, *, now: datetime, since: datetime | None = None, most: Mapping[str, float] = ANY
) -> list[Score]:
    """Scores some of what waits, told since then or at any time; what was scored, which is now committed.

    `most` is by model how far from 0 a truth can be.
    """
    waiting = _waiting(since)
    with engine.connect() as connection:
        if connection.execute(waiting.with_only_columns(Feedback.id).limit(1)).first() is None:
            return []
    with engine.connect() as connection:
        _claim(connection)
        rows = connection.execute(waiting.with_for_update(of=Feedback, skip_locked=True)).all()
        scores = [_score(row, most.get(row.model, PLAUSIBLE)) for row in rows]
        _write(connection, rows, scores, now)
        connection.commit()
    return scores


def _claim(connection: Connection) -> None:
    """SQLite locks no rows: it has one writer, who is us before anything is read."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _waiting(since: datetime | None) -> Select[Any]:
    columns = (
        Feedback.id,
        Feedback.actual_value,
        Feedback.actual,
        Feedback.scores,
        Prediction.model,
        Prediction.version,
        Prediction.predicted_value,
        Prediction.prediction,
        Prediction.lower,
        Prediction.upper,
    )
    asked = select(*columns).join(Prediction, Prediction.prediction_id == Feedback.prediction_id)
    asked = asked.where(Feedback.scored_at.is_(None))
    if since is not None:
        asked = asked.where(Feedback.created_at >= since)
    return asked.order_by(Feedback.created_at.desc()).limit(AT_ONCE)


def _score(row: Any, most: float) -> Score:
    actual: float | str = row.actual_value if row.actual is None else row.actual
    refusal = expected(row.prediction, most).refusal(actual)
    if refusal or (row.prediction is None and row.predicted_value is None):
        refusal = refusal or "The prediction has no value"
        return Score(model=row.model, version=row.version, refusal=refusal)
    if row.prediction is not None:
        correct = row.prediction["prediction"] == actual
        return Score(model=row.model, version=row.version, correct=correct, again=row.scores > 0)
    error = abs(row.actual_value - row.predicted_value)
    if error > LARGEST:
        return Score(
            model=row.model, version=row.version, refusal="The distance is beyond what can be added up"
        )
    return Score(
        model=row.model,
        version=row.version,
        absolute_error=error,
        inside=_inside(row),
        again=row.scores > 0,
    )


def _inside(row: Any) -> bool | None:
    if row.lower is None or row.upper is None:
        return None
    return bool(row.lower <= row.actual_value <= row.upper)


def _write(connection: Connection, rows: Sequence[Any], scores: Sequence[Score], now: datetime) -> None:
    if not rows:
        return
    values: list[Mapping[str, Any]] = [
        {
            "row": row.id,
            "at": now,
            "of_model": score.model,
            "of_version": score.version,
            "error": score.absolute_error,
            "right": score.correct,
            "scored": row.scores + (not score.refusal),
        }
        for row, score in zip(rows, scores, strict=True)
    ]
    table = cast(Table, Feedback.__table__)
    changed = (
        update(table)
        .where(table.c.id == bindparam("row"))
        .values(
            scored_at=bindparam("at"),
            model=bindparam("of_model"),
            version=bindparam("of_version"),
            absolute_error=bindparam("error"),
            correct=bindparam("right"),
            scores=bindparam("scored"),
        )
    )
    connection.execute(changed, values)
