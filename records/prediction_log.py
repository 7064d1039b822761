"""Writes answered predictions into SQL: idempotent, many at once, and without reading the JSON they carry.

Hand-written SQL, because building rows through SQLAlchemy would parse every features document to write it again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from records.prediction_record import PredictionRecord

ROWS_PER_STATEMENT = 5000

COLUMNS = """prediction_id, user_id, subject, model, version, request_id, features,
    predicted_value, prediction, outcome, cached, latency_ms, created_at,
    lower, upper, trace_id, split_key, arm"""

# A user id that this database does not have (restored from an older copy, another database behind the same key)
# becomes NULL, where a broken foreign key would hold up the log for ever; `subject` still says who asked.
SQLITE = f"""
INSERT INTO predictions ({COLUMNS})
VALUES (?, (SELECT id FROM users WHERE id = ?), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (prediction_id) DO NOTHING
"""  # noqa: S608 (constants only)

# One JSON array is one parameter, which PostgreSQL takes apart. Documents travel in it as text: read as part of the
# array, an escaped NUL in one of them would fail the whole statement, while a `json` column keeps it as it is.
POSTGRESQL = f"""
INSERT INTO predictions ({COLUMNS})
SELECT sent.prediction_id, users.id, sent.subject, sent.model, sent.version, sent.request_id,
    CAST(sent.features AS json), sent.predicted_value, CAST(sent.prediction AS json), sent.outcome, sent.cached,
    sent.latency_ms, to_timestamp(sent.created_at), sent.lower, sent.upper, sent.trace_id, sent.split_key, sent.arm
FROM json_to_recordset(CAST(%s AS json)) AS sent (
    prediction_id text, user_id bigint, subject text, model text, version text, request_id text, features text,
    predicted_value float8, prediction text, outcome text, cached boolean, latency_ms float8, created_at float8,
    lower float8, upper float8, trace_id text, split_key text, arm text)
LEFT JOIN users ON users.id = sent.user_id
ON CONFLICT (prediction_id) DO NOTHING
"""  # noqa: S608 (constants only)


class _Sent(msgspec.Struct, frozen=True, gc=False):
    prediction_id: str
    user_id: int | None
    subject: str
    model: str
    version: str
    request_id: str
    features: str
    predicted_value: float | None
    prediction: str | None
    outcome: str
    cached: bool
    latency_ms: float
    created_at: float
    lower: float | None
    upper: float | None
    trace_id: str | None
    split_key: str | None
    arm: str | None


_encode = msgspec.json.Encoder().encode


def insert_predictions(connection: Connection, records: Sequence[PredictionRecord]) -> int:
    """How many were new. Those whose prediction id is there already are left alone. The caller commits."""
    insert = INSERTS[connection.dialect.name]
    return sum(
        insert(connection, records[start : start + ROWS_PER_STATEMENT])
        for start in range(0, len(records), ROWS_PER_STATEMENT)
    )


def _insert_sqlite(connection: Connection, records: Sequence[PredictionRecord]) -> int:
    return connection.exec_driver_sql(SQLITE, [_sqlite_row(record) for record in records]).rowcount


def _insert_postgresql(connection: Connection, records: Sequence[PredictionRecord]) -> int:
    rows = _encode([_sent(record) for record in records]).decode()
    return connection.exec_driver_sql(POSTGRESQL, (rows,)).rowcount


def _sqlite_row(record: PredictionRecord) -> tuple[Any, ...]:
    return (
        record.prediction_id,
        record.user_id,
        record.subject,
        record.model,
        record.version,
        record.request_id,
        str(record.features, "utf-8"),
        record.predicted_value,
        _prediction(record),
        record.outcome,
        record.cached,
        record.latency_ms,
        # The text that SQLAlchemy's own DateTime writes on SQLite.
        datetime.fromtimestamp(record.created_at, UTC).isoformat(" ", "microseconds")[:26],
        record.lower,
        record.upper,
        record.trace_id or None,
        record.split_key or None,
        record.arm or None,
    )


def _sent(record: PredictionRecord) -> _Sent:
    return _Sent(
        record.prediction_id,
        record.user_id,
        _storable(record.subject),
        record.model,
        record.version,
        _storable(record.request_id),
        str(record.features, "utf-8"),
        record.predicted_value,
        _prediction(record),
        record.outcome,
        record.cached,
        record.latency_ms,
        record.created_at,
        record.lower,
        record.upper,
        record.trace_id or None,
        record.split_key or None,
        record.arm or None,
    )


def _prediction(record: PredictionRecord) -> str | None:
    text = str(record.prediction, "utf-8")
    return None if text == "null" else text


def _storable(text: str) -> str:
    """PostgreSQL has no NUL in text, and one caller must not hold up everybody's records."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


INSERTS: Mapping[str, Callable[[Connection, Sequence[PredictionRecord]], int]] = {
    "sqlite": _insert_sqlite,
    "postgresql": _insert_postgresql,
}
