"""What the log says about two versions that answered side by side: sums for each unit of the split, made by the database.

Who was production and who the challenger is what the routing wrote down with each row, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Float, Select, and_, case, cast, distinct, func, or_, select

from records.quantiles import quantiles
from records.tables import Feedback, Prediction
from records.truth import LARGEST

AT_ONCE = 10_000
UNIT = func.coalesce(Prediction.split_key, Prediction.subject)
# A number's distance from the truth, or 1 for a label that was wrong; NULL while the truth is not known.
ERROR = func.coalesce(
    Feedback.absolute_error,
    case((Feedback.correct.is_(None), None), (Feedback.correct.is_(True), 0.0), else_=1.0),
)


def summable(number: Any) -> Any:
    """NULL for what no database can add up, of a version that has lost its mind."""
    return case((func.abs(number) <= LARGEST, number))


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
    """A version that answered in the period, and how it came to (`records.split_arms`; empty without a split)."""

    version: str
    arm: str
    rows: int
    first: datetime
    last: datetime

    @property
    def condition(self) -> Any:
        return and_(Prediction.version == self.version, Prediction.arm == self.arm)


@dataclass(frozen=True, kw_only=True)
class Answered:
    """Of one version: how many rows came from the cache, and what the others took from arrival to answer."""

    rows: int
    cached: int
    latency_ms: list[float] | None
    labels: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Two arms in a period. `any_in_both`: some units were answered by both, and count for neither."""

    period: Period
    production: Seen
    challenger: Seen
    any_in_both: bool = False

    def of(self, arm: Seen) -> Any:
        mine = and_(self.period.condition, arm.condition)
        return and_(mine, UNIT.not_in(self._in_both())) if self.any_in_both else mine

    @property
    def condition(self) -> Any:
        return and_(self.period.condition, or_(self.production.condition, self.challenger.condition))

    def _in_both(self) -> Any:
        units = select(UNIT).where(self.condition).group_by(UNIT).correlate(None)
        return units.having(func.count(distinct(Prediction.arm)) > 1)


def versions_seen(engine: Engine, period: Period) -> list[Seen]:
    """The one with the most rows first."""
    table, rows = Prediction, func.count()
    asked = select(table.version, table.arm, rows, func.min(table.created_at), func.max(table.created_at))
    asked = asked.where(period.condition).group_by(table.version, table.arm)
    with engine.connect() as connection:
        found = connection.execute(asked.order_by(rows.desc(), table.version)).all()
    return [Seen(version=row[0], arm=row[1] or "", rows=row[2], first=row[3], last=row[4]) for row in found]


def unit_sums(engine: Engine, compared: Compared) -> Iterator[Sequence[tuple[float, ...]]]:
    """For each unit, and for each of the two arms: rows, rows with a number, their sum, rows with truth, sum of errors.

    In parts of AT_ONCE units: a million rows never become a million objects at once.
    """
    with engine.connect() as connection:
        streamed = connection.execution_options(yield_per=AT_ONCE).execute(_sums(compared))
        for part in streamed.partitions():
            yield [tuple(row) for row in part]


def _sums(compared: Compared) -> Select[Any]:
    columns: list[Any] = []
    number = summable(Prediction.predicted_value)
    for arm in (compared.production, compared.challenger):
        for value in (1.0, _known(number), number, _known(ERROR), ERROR):
            columns.append(func.coalesce(func.sum(cast(case((arm.condition, value), else_=0.0), Float)), 0.0))
    asked = select(*columns).select_from(Prediction)
    scored = and_(Feedback.prediction_id == Prediction.prediction_id, Feedback.scored_at.is_not(None))
    return asked.outerjoin(Feedback, scored).where(compared.condition).group_by(UNIT)


def _known(value: Any) -> Any:
    return case((value.is_not(None), 1.0), else_=0.0)


def answered(engine: Engine, compared: Compared, arm: Seen, shares: Sequence[float]) -> Answered:
    """`latency_ms` has a quantile for each of `shares`."""
    table, mine = Prediction, compared.of(arm)
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
