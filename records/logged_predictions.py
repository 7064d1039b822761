"""Reads the prediction log back: the newest answers of a model, so that another version can be asked the same, and one
answer for the caller whose it is.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from records.tables import Feedback, Prediction


@dataclass(frozen=True, kw_only=True)
class LoggedPrediction:
    """One answered row. `prediction` is what a classifier said: its label and the probability of each class."""

    prediction_id: str
    version: str
    features: Any
    predicted_value: float | None
    prediction: Any | None


def recent_predictions(engine: Engine, model: str, limit: int) -> list[LoggedPrediction]:
    """Newest first; only rows that were answered."""
    table = Prediction
    columns = (
        table.prediction_id,
        table.version,
        table.features,
        table.predicted_value,
        table.prediction,
    )
    newest = (
        select(*columns)
        .where(table.model == model, table.outcome == "ok")
        .order_by(table.created_at.desc(), table.id.desc())
        .limit(limit)
    )
    with Session(engine) as session:
        return [
            LoggedPrediction(
                prediction_id=row.prediction_id,
                version=row.version,
                features=row.features,
                predicted_value=row.predicted_value,
                prediction=row.prediction,
            )
            for row in session.execute(newest)
        ]


@dataclass(frozen=True, kw_only=True)
class OwnPrediction:
    """One answered row as its caller may see it."""

    prediction_id: str
    request_id: str
    model: str
    version: str
    features: Any
    predicted_value: float | None
    prediction: Any | None
    outcome: str
    cached: bool
    created_at: datetime
    lower: float | None
    upper: float | None
    truth: KnownTruth | None = None


@dataclass(frozen=True, kw_only=True)
class KnownTruth:
    """What was told of one prediction, and what scoring made of it; `scored_at` is None while that is to come."""

    actual: Any
    told_at: datetime
    changes: int
    scored_at: datetime | None
    absolute_error: float | None
    correct: bool | None


def own_prediction(
    engine: Engine, prediction_id: str, *, subject: str, models: Collection[str] | None = None
) -> OwnPrediction | None:
    """None for an unknown id, for somebody else's, and for a model that is not one of `models` (None: any).

    The owner is part of the question that the database is asked: what is not the caller's is never read.
    """
    table = Prediction
    columns = (
        table.prediction_id,
        table.request_id,
        table.model,
        table.version,
        table.features,
        table.predicted_value,
        table.prediction,
        table.outcome,
        table.cached,
        table.created_at,
        table.lower,
        table.upper,
    )
    wanted = select(*columns, Feedback).where(table.prediction_id == prediction_id, table.subject == subject)
    wanted = wanted.outerjoin(Feedback, Feedback.prediction_id == table.prediction_id)
    if models is not None:
        wanted = wanted.where(table.model.in_(models))
    with Session(engine) as session:
        row = session.execute(wanted).one_or_none()
    if row is None:
        return None
    said = {column.key: getattr(row, column.key) for column in columns}
    return OwnPrediction(**said, truth=_truth(row.Feedback))


def _truth(told: Feedback | None) -> KnownTruth | None:
    if told is None:
        return None
    return KnownTruth(
        actual=told.actual_value if told.actual is None else told.actual,
        told_at=told.changed_at or told.created_at,
        changes=told.changes,
        scored_at=told.scored_at,
        absolute_error=told.absolute_error,
        correct=told.correct,
    )
