"""Reads the newest answers of a model back from the prediction log, so that another version can be asked the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from records.tables import Prediction


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
