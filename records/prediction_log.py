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

ROWS_PER_STATEMENT = 1000

COLUMNS = """prediction_id, user_id, subject, model, version, request_id, features,
    predicted_value, prediction, outcome, cached, latency_ms, created_at"""

# A user id that this database does not have (restored from an older copy, another database behind the same key)
# becomes NULL, where a broken foreign key would hold up the log for ever; `subject` still says who asked.
SQLITE = f"""
INSERT INTO predictions ({COLUMNS})
VALUES (?, (SELECT id FROM users WHERE id = ?), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (prediction_id) DO NOTHING
"""  # noqa: S608 (constants only)

# One JSON array is one parameter: PostgreSQL takes it apart, and the records are encoded as they are.
POSTGRESQL = f"""
INSERT INTO predictions ({COLUMNS})
SELECT sent.prediction_id, users.id, sent.subject, sent.model, sent.version, sent.request_id, sent.features,
    sent.predicted_value, sent.prediction, sent.outcome, sent.cached, sent.latency_ms, to_timestamp(sent.created_at)
FROM json_to_recordset(CAST(%s AS json)) AS sent (
    prediction_id text, user_id bigint, subject text, model text, version text, request_id text, features json,
    predicted_value float8, prediction json, outcome text, cached boolean, latency_ms float8, created_at float8)
LEFT JOIN users ON users.id = sent.user_id
ON CONFLICT (prediction_id) DO NOTHING
"""  # noqa: S608 (constants only)

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
    return connection.exec_driver_sql(POSTGRESQL, (_encode(records).decode(),)).rowcount


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
        None if bytes(record.prediction) == b"null" else str(record.prediction, "utf-8"),
        record.outcome,
        record.cached,
        record.latency_ms,
        # The text that SQLAlchemy's own DateTime writes on SQLite.
        datetime.fromtimestamp(record.created_at, UTC).isoformat(" ", "microseconds")[:26],
    )


INSERTS: Mapping[str, Callable[[Connection, Sequence[PredictionRecord]], int]] = {
    "sqlite": _insert_sqlite,
    "postgresql": _insert_postgresql,
}
