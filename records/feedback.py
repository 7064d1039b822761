"""Truth as it is told: written by prediction id, many at once; what was told before is noticed, and the newest wins.

The same statement on both databases. PostgreSQL gets all items as one JSON parameter, in the order of their ids, so that
no two requests wait for each other in a circle.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec
from sqlalchemy import Connection, select

from records.tables import Prediction
from records.truth import PLAUSIBLE, Expected, Told, Truth, expected

ITEMS_PER_STATEMENT = 1000

_CHANGED = """
ON CONFLICT (prediction_id) DO UPDATE SET subject = excluded.subject, actual_value = excluded.actual_value,
    actual = excluded.actual, changed_at = excluded.created_at, changes = feedback.changes + 1, scored_at = NULL,
    model = NULL, version = NULL, absolute_error = NULL, correct = NULL
"""

SQLITE = f"""
INSERT INTO feedback (prediction_id, subject, actual_value, actual, created_at) VALUES (?, ?, ?, ?, ?)
{_CHANGED} WHERE feedback.actual_value IS NOT excluded.actual_value OR feedback.actual IS NOT excluded.actual
RETURNING changes
"""  # noqa: S608 (constants only)

POSTGRESQL = f"""
INSERT INTO feedback (prediction_id, subject, actual_value, actual, created_at)
SELECT sent.prediction_id, sent.subject, sent.actual_value, CAST(sent.actual AS json), to_timestamp(sent.at)
FROM json_to_recordset(CAST(%s AS json)) AS sent (
    prediction_id text, subject text, actual_value float8, actual text, at float8)
ORDER BY sent.prediction_id
{_CHANGED} WHERE feedback.actual_value IS DISTINCT FROM excluded.actual_value
    OR CAST(feedback.actual AS text) IS DISTINCT FROM CAST(excluded.actual AS text)
RETURNING changes
"""  # noqa: S608 (constants only)

_encode = msgspec.json.Encoder().encode


def expectations(
    connection: Connection, prediction_ids: Sequence[str], most: Mapping[str, float]
) -> dict[str, Expected]:
    """Of those predictions that are there already. `most` is by model how far from 0 a truth can be."""
    found: dict[str, Expected] = {}
    columns = select(Prediction.prediction_id, Prediction.model, Prediction.prediction)
    for start in range(0, len(prediction_ids), ITEMS_PER_STATEMENT):
        wanted = prediction_ids[start : start + ITEMS_PER_STATEMENT]
        for name, model, said in connection.execute(columns.where(Prediction.prediction_id.in_(wanted))):
            found[name] = expected(said, most.get(model, PLAUSIBLE))
    return found


def tell(connection: Connection, truths: Sequence[Truth], *, subject: str, now: datetime) -> Told:
    """Writes what is new or differs; of several for one prediction the last counts. The caller commits."""
    last = {truth.prediction_id: truth for truth in truths}
    subject = subject.replace("\0", "\N{REPLACEMENT CHARACTER}")  # which PostgreSQL does not have in text
    changes = _written(connection, [last[name] for name in sorted(last)], subject, now)
    again = _repeats(truths)
    new = changes.count(0)
    return Told(
        accepted=new,
        repeated=len(last) - len(changes) + again[0],
        changed=len(changes) - new + again[1],
    )


def _repeats(truths: Sequence[Truth]) -> tuple[int, int]:
    """Of those that come again in the same request: how many say the same as before, and how many something else."""
    known: dict[str, float | str] = {}
    same = other = 0
    for truth in truths:
        if truth.prediction_id in known:
            if known[truth.prediction_id] == truth.actual:
                same += 1
            else:
                other += 1
        known[truth.prediction_id] = truth.actual
    return same, other


def _written(connection: Connection, truths: Sequence[Truth], subject: str, now: datetime) -> list[int]:
    """How often each row that was written had been changed; rows that were there as they are do not appear."""
    write = _write_sqlite if connection.dialect.name == "sqlite" else _write_postgresql
    found: list[int] = []
    for start in range(0, len(truths), ITEMS_PER_STATEMENT):
        found += write(connection, truths[start : start + ITEMS_PER_STATEMENT], subject, now)
    return found


def _write_sqlite(connection: Connection, truths: Sequence[Truth], subject: str, now: datetime) -> list[int]:
    """One by one: SQLite is a library, and a statement costs no way to a server."""
    moment = now.astimezone(UTC).isoformat(" ", "microseconds")[:26]
    cursor: sqlite3.Cursor = connection.connection.cursor()  # type: ignore[assignment]
    found = []
    for truth in truths:
        row = cursor.execute(SQLITE, (truth.prediction_id, subject, *_columns(truth), moment)).fetchall()
        found += [changes for (changes,) in row]
    cursor.close()
    return found


def _write_postgresql(
    connection: Connection, truths: Sequence[Truth], subject: str, now: datetime
) -> list[int]:
    rows = []
    for truth in truths:
        value, actual = _columns(truth)
        rows.append(
            {
                "prediction_id": truth.prediction_id,
                "subject": subject,
                "actual_value": value,
                "actual": actual,
                "at": now.timestamp(),
            }
        )
    return [row[0] for row in connection.exec_driver_sql(POSTGRESQL, (_encode(rows).decode(),))]


def _columns(truth: Truth) -> tuple[float | None, str | None]:
    if isinstance(truth.actual, str):
        return None, _encode(truth.actual).decode()
    return truth.actual, None
