"""Deletes what is older than it may be kept: some rows at a time, so that nobody waits for it, and many agents share it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Delete, Engine, Select, delete, select, text

from records.tables import Erasure, Feedback, Prediction, ShadowPrediction

AT_ONCE = 1000

# Each name by one look into the index: counting them would read it all.
MODELS = """
WITH RECURSIVE known(model) AS (
    SELECT min(model) FROM {table}
    UNION ALL
    SELECT (SELECT min(model) FROM {table} WHERE model > known.model) FROM known WHERE known.model IS NOT NULL)
SELECT model FROM known WHERE model IS NOT NULL
"""


@dataclass(frozen=True, kw_only=True)
class Deleted:
    """Rows by table; `more` where there may be more to delete."""

    rows: dict[str, int] = field(default_factory=dict)
    more: bool = False


def delete_old(engine: Engine, *, before: datetime) -> Deleted:
    """At most AT_ONCE rows of a table, a transaction each."""
    rows: dict[str, int] = {}
    for model in _models(engine, Prediction.__tablename__):
        if found := _delete_predictions(engine, model, before):
            return Deleted(rows=found, more=True)
    for model in _models(engine, ShadowPrediction.__tablename__):
        shadow = ShadowPrediction
        old = select(shadow.id).where(shadow.model == model, shadow.created_at < before)
        _count(rows, shadow.__tablename__, _delete(engine, shadow, old.order_by(shadow.created_at)))
    told = select(Feedback.id).where(Feedback.created_at < before).order_by(Feedback.created_at)
    _count(rows, Feedback.__tablename__, _delete(engine, Feedback, told))
    erased = select(Erasure.id).where(Erasure.erased_before < before, Erasure.created_at < before)
    _count(rows, Erasure.__tablename__, _delete(engine, Erasure, erased))
    return Deleted(rows=rows, more=max(rows.values(), default=0) >= AT_ONCE)


def old_predictions(model: str, before: datetime) -> Select[Any]:
    """The oldest first, and none that another agent is deleting."""
    asked = select(Prediction.id).where(Prediction.model == model, Prediction.created_at < before)
    return asked.order_by(Prediction.created_at).limit(AT_ONCE).with_for_update(skip_locked=True)


def _models(engine: Engine, table: str) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(text(MODELS.format(table=table))))


def _delete_predictions(engine: Engine, model: str, before: datetime) -> dict[str, int]:
    """With what hangs on them."""
    gone = delete(Prediction).where(Prediction.id.in_(old_predictions(model, before).scalar_subquery()))
    rows: dict[str, int] = {}
    with engine.begin() as connection:
        ids = connection.scalars(gone.returning(Prediction.prediction_id)).all()
        if not ids:
            return {}
        rows[Prediction.__tablename__] = len(ids)
        for table in (Feedback, ShadowPrediction):
            _count(rows, table.__tablename__, _delete_of(connection, table, ids))
    return rows


def _delete_of(
    connection: Connection, table: type[Feedback] | type[ShadowPrediction], ids: Sequence[str]
) -> int:
    return _rowcount(connection, delete(table).where(table.prediction_id.in_(ids)))


def _delete(
    engine: Engine, table: type[Feedback] | type[ShadowPrediction] | type[Erasure], chosen: Select[Any]
) -> int:
    some = chosen.limit(AT_ONCE).with_for_update(skip_locked=True)
    with engine.begin() as connection:
        return _rowcount(connection, delete(table).where(table.id.in_(some.scalar_subquery())))


def _rowcount(connection: Connection, statement: Delete) -> int:
    return int(connection.execute(statement).rowcount)


def _count(rows: dict[str, int], table: str, count: int) -> None:
    if count:
        rows[table] = rows.get(table, 0) + count
