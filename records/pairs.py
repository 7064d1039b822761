"""What two versions said to the same rows: the answers that were given, and the shadow's; compared by the database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Float, Select, String, and_, case, cast, func, literal, or_, select

from records.arms import AT_ONCE, UNIT, summable
from records.quantiles import quantiles
from records.split_arms import CHALLENGER, NAMED
from records.tables import Feedback, Prediction, ShadowPrediction

Shadow = ShadowPrediction
GIVEN_LABEL = Prediction.prediction["prediction"].as_string()
SHADOW_LABEL = Shadow.prediction["prediction"].as_string()
DIFFERENT_LABEL = case((GIVEN_LABEL != SHADOW_LABEL, 1.0), else_=0.0)
DIFFERENCE = case(
    (
        Shadow.predicted_value.is_not(None),
        summable(Shadow.predicted_value) - summable(Prediction.predicted_value),
    ),
    else_=DIFFERENT_LABEL,
)
# What production answered because it was production: not for its version's name, and not as an earlier challenger.
UNASKED = or_(Prediction.arm.is_(None), Prediction.arm.not_in((NAMED, CHALLENGER)))
# Scored truth only. A label equals the truth where its JSON text does.
SHADOW_IS_WRONG = case(
    (cast(Feedback.actual, String) == literal('"') + SHADOW_LABEL + literal('"'), 0.0), else_=1.0
)
ERROR_DIFFERENCE = case(
    (
        Feedback.absolute_error.is_not(None),
        func.abs(summable(Shadow.predicted_value) - Feedback.actual_value) - Feedback.absolute_error,
    ),
    (Feedback.correct.is_not(None), SHADOW_IS_WRONG - case((Feedback.correct.is_(True), 0.0), else_=1.0)),
    else_=None,
)


@dataclass(frozen=True, kw_only=True)
class Tried:
    """Rows that `production` answered and `challenger` was tried on since then."""

    model: str
    production: str
    challenger: str
    since: datetime

    @property
    def condition(self) -> Any:
        versions = and_(Prediction.version == self.production, Shadow.version == self.challenger)
        return and_(Shadow.model == self.model, Shadow.created_at >= self.since, versions)


@dataclass(frozen=True, kw_only=True)
class Pairing:
    """Two versions with rows in common, how many, and when the last of them was tried."""

    production: str
    challenger: str
    rows: int
    last: datetime


@dataclass(frozen=True, kw_only=True)
class WorstRow:
    prediction_id: str
    production: float | str
    challenger: float | str
    difference: float


def pairings(engine: Engine, model: str, since: datetime) -> list[Pairing]:
    """The newest challenger first, and of its opponents the one with the most rows."""
    last, rows = func.max(Shadow.created_at), func.count()
    asked = _joined(Prediction.version, Shadow.version, rows, last)
    asked = asked.where(Shadow.model == model, Shadow.created_at >= since)
    with engine.connect() as connection:
        found = connection.execute(asked.group_by(Prediction.version, Shadow.version)).all()
    made = [Pairing(production=row[0], challenger=row[1], rows=row[2], last=row[3]) for row in found]
    newest = {
        each.challenger: max(one.last for one in made if one.challenger == each.challenger) for each in made
    }
    return sorted(made, key=lambda each: (newest[each.challenger], each.rows), reverse=True)


def pair_sums(engine: Engine, tried: Tried) -> Iterator[Sequence[tuple[float, ...]]]:
    """For each unit: rows, sums of the difference and of its distance from nothing; rows with truth, the same of the errors'."""
    columns: list[Any] = []
    for value in (DIFFERENCE, ERROR_DIFFERENCE):
        known = case((value.is_not(None), 1.0), else_=0.0)
        columns += [
            func.coalesce(func.sum(cast(each, Float)), 0.0) for each in (known, value, func.abs(value))
        ]
    asked = _with_truth(*columns).where(tried.condition).group_by(UNIT)
    with engine.connect() as connection:
        for part in connection.execution_options(yield_per=AT_ONCE).execute(asked).partitions():
            yield [tuple(row) for row in part]


def difference_quantiles(engine: Engine, tried: Tried, shares: Sequence[float]) -> list[float] | None:
    asked = _joined(DIFFERENCE.label("difference")).where(tried.condition)
    with engine.connect() as connection:
        return quantiles(connection, asked, shares)


def latencies(
    engine: Engine, tried: Tried, shares: Sequence[float]
) -> tuple[list[float] | None, list[float] | None]:
    """Of production and of the challenger, over the rows that both were timed on."""
    both = and_(tried.condition, Shadow.answered_latency_ms.is_not(None))
    with engine.connect() as connection:
        production = quantiles(connection, _joined(Shadow.answered_latency_ms).where(both), shares)
        return production, quantiles(connection, _joined(Shadow.latency_ms).where(both), shares)


def confusion(engine: Engine, tried: Tried) -> dict[tuple[str, str], int]:
    """Rows by what production and what the challenger said; empty of a regressor."""
    asked = _joined(GIVEN_LABEL, SHADOW_LABEL, func.count())
    asked = asked.where(tried.condition, Shadow.prediction.is_not(None))
    with engine.connect() as connection:
        rows = connection.execute(asked.group_by(GIVEN_LABEL, SHADOW_LABEL)).all()
    return {(str(row[0]), str(row[1])): row[2] for row in rows}


def worst_rows(engine: Engine, tried: Tried, count: int, classes: Sequence[str] = ()) -> list[WorstRow]:
    """Those with the largest difference; of labels those that differ, the ones first where both were surest of theirs."""
    if classes:
        sure = _surest(Prediction.prediction, GIVEN_LABEL, classes) + _surest(
            Shadow.prediction, SHADOW_LABEL, classes
        )
        distance = DIFFERENT_LABEL * sure / 2.0
    else:
        distance = func.abs(DIFFERENCE)
    distance = cast(distance, Float).label("distance")
    values = (Prediction.predicted_value, Shadow.predicted_value, GIVEN_LABEL, SHADOW_LABEL)
    asked = _joined(Prediction.prediction_id, *values, distance)
    asked = asked.where(tried.condition, distance > 0).order_by(distance.desc(), Prediction.prediction_id)
    with engine.connect() as connection:
        return [_worst(row) for row in connection.execute(asked.limit(count))]


def _surest(document: Any, label: Any, classes: Sequence[str]) -> Any:
    """The probability of the label that was said."""
    return case(*((label == name, document["probabilities"][name].as_float()) for name in classes), else_=0.0)


def _worst(row: Any) -> WorstRow:
    name, given, tried, given_label, tried_label, distance = row
    if tried is not None:
        return WorstRow(prediction_id=name, production=given, challenger=tried, difference=tried - given)
    return WorstRow(prediction_id=name, production=given_label, challenger=tried_label, difference=distance)


def _joined(*columns: Any) -> Select[Any]:
    asked = select(*columns).select_from(Shadow)
    return asked.join(Prediction, and_(Prediction.prediction_id == Shadow.prediction_id, UNASKED))


def _with_truth(*columns: Any) -> Select[Any]:
    scored = and_(Feedback.prediction_id == Prediction.prediction_id, Feedback.scored_at.is_not(None))
    return _joined(*columns).outerjoin(Feedback, scored)
