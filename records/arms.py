"""What the log says about two versions that answered side by side: sums for each unit of the split, made by the database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Float, Select, and_, case, cast, func, select

from records.quantiles import quantiles
from records.tables import Feedback, Prediction

AT_ONCE = 10_000
UNIT = func.coalesce(Prediction.split_key, Prediction.subject)
# A number's distance from the truth, or 1 for a label that was wrong; NULL while the truth is not known.
ERROR = func.coalesce(
    Feedback.absolute_error,
    case((Feedback.correct.is_(None), None), (Feedback.correct.is_(True), 0.0), else_=1.0),
)


@dataclass(frozen=True, kw_only=True)
class Period:
    """Rows of one model, from `since` up to and with `until`."""

    model: str
    since: datetime
    until: datetime

    @property
    def condition(self) -> Any:
        table = Prediction
        within = and_(table.created_at >= self.since, table.created_at <= self.until)
        return and_(table.model == self.model, table.outcome == "ok", within)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A version that answered in the period."""

    version: str
    rows: int
    first: datetime
    last: datetime


@dataclass(frozen=True, kw_only=True)
class Answered:
    """Of one version: how many rows came from the cache, and what the others took from arrival to answer."""

    rows: int
    cached: int
    latency_ms: list[float] | None
    labels: dict[str, int]


def versions_seen(engine: Engine, period: Period) -> list[Seen]:
    """The one with the most rows first."""
    table, rows = Prediction, func.count()
    asked = select(table.version, rows, func.min(table.created_at), func.max(table.created_at))
    asked = asked.where(period.condition).group_by(table.version).order_by(rows.desc(), table.version)
    with engine.connect() as connection:
        found = connection.execute(asked).all()
    return [Seen(version=row[0], rows=row[1], first=row[2], last=row[3]) for row in found]


def unit_sums(
    engine: Engine, period: Period, versions: tuple[str, str]
) -> Iterator[Sequence[tuple[float, ...]]]:
    """For each unit, and for each of the two versions: rows, sum of predicted numbers, rows with truth, sum of errors.

    In parts of AT_ONCE units: a million rows never become a million objects at once.
    """
    with engine.connect() as connection:
        streamed = connection.execution_options(yield_per=AT_ONCE).execute(_sums(period, versions))
        for part in streamed.partitions():
            yield [tuple(row) for row in part]


def _sums(period: Period, versions: tuple[str, str]) -> Select[Any]:
    columns: list[Any] = []
    for version in versions:
        mine = Prediction.version == version
        for value in (1.0, Prediction.predicted_value, case((ERROR.is_not(None), 1.0), else_=0.0), ERROR):
            columns.append(func.coalesce(func.sum(cast(case((mine, value), else_=0.0), Float)), 0.0))
    asked = select(*columns).select_from(Prediction)
    scored = and_(Feedback.prediction_id == Prediction.prediction_id, Feedback.scored_at.is_not(None))
    asked = asked.outerjoin(Feedback, scored)
    return asked.where(period.condition, Prediction.version.in_(versions)).group_by(UNIT)


def answered(engine: Engine, period: Period, version: str, shares: Sequence[float]) -> Answered:
    """`latency_ms` has a quantile for each of `shares`."""
    table = Prediction
    mine = and_(period.condition, table.version == version)
    label = table.prediction["prediction"].as_string()
    with engine.connect() as connection:
        rows, cached = connection.execute(
            select(func.count(), func.coalesce(func.sum(case((table.cached, 1), else_=0)), 0)).where(mine)
        ).one()
        computed = select(table.latency_ms).where(mine, table.cached.is_(False))
        labels = select(label, func.count()).where(mine, table.prediction.is_not(None)).group_by(label)
        return Answered(
            rows=rows,
            cached=int(cached),
            latency_ms=quantiles(connection, computed, shares),
            labels={str(name): count for name, count in connection.execute(labels.order_by(label))},
        )
