"""Writes what a challenger would have answered; once per row and version, however often it is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from records.columns import utc_now
from records.tables import ShadowPrediction

INSERTS: dict[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}


@dataclass(frozen=True, kw_only=True)
class ShadowAnswer:
    """`latency_ms` is what the challenger took for the row, `answered_latency_ms` what the version that answered took for it,
    one after the other in the same process; None where that version was not at hand.
    """

    prediction_id: str
    model: str
    version: str
    predicted_value: float | None
    prediction: Any | None
    outcome: str
    latency_ms: float
    answered_latency_ms: float | None


def insert_shadows(connection: Connection, answers: Sequence[ShadowAnswer]) -> int:
    """How many were new. The caller commits."""
    if not answers:
        return 0
    now = utc_now()
    insert = INSERTS[connection.dialect.name](ShadowPrediction)
    rows = [{**asdict(answer), "created_at": now} for answer in answers]
    added = insert.values(rows).on_conflict_do_nothing().returning(ShadowPrediction.id)
    return len(connection.execute(added).all())
