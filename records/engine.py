"""One way to open the database, so that every program has the same durability, time-outs and JSON."""

from __future__ import annotations

import sqlite3
import time
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from records.mounted_secrets import read_secret

BUSY_TIMEOUT_SECONDS = 10
CONNECT_TIMEOUT_SECONDS = 3
ANSWER_SECONDS = 10.0
UNDEFINED_TABLE = "42P01"

# WAL lets readers go on while the log is written. In WAL mode `synchronous=NORMAL` may undo the last commits
# at a power loss; the shipper deletes its copy of a record once it is committed here, so a commit must be final.
SQLITE_PRAGMAS = ("PRAGMA synchronous=FULL", "PRAGMA foreign_keys=ON")

# A peer that vanished without a word is noticed in seconds, not after the operating system's two hours.
POSTGRES_ARGUMENTS = {
    "connect_timeout": CONNECT_TIMEOUT_SECONDS,
    "application_name": "slipway",
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


def open_existing(url: str) -> Engine:
    """For commands that work on what is there: a mistyped path does not become a new database. Raises ValueError."""
    target = make_url(url)
    if _is_missing_file(target):
        raise ValueError(f"there is no database {target.database}: `python -m records upgrade` makes one")
    return open_engine(url, answer_seconds=None)


def _is_missing_file(target: URL) -> bool:
    path = target.database
    return (
        target.get_backend_name() == "sqlite"
        and path not in (None, "", ":memory:")
        and not Path(str(path)).exists()
    )


def lacks_tables(error: SQLAlchemyError) -> bool:
    """Whether that is what went wrong."""
    reason = getattr(error, "orig", None)
    return getattr(reason, "sqlstate", None) == UNDEFINED_TABLE or str(reason).startswith("no such table")


def open_engine(
    url: str, *, mounted: Path | None = None, answer_seconds: float | None = ANSWER_SECONDS
) -> Engine:
    """An engine for `sqlite:///file` or `postgresql://…`; connects on first use, not here.

    `mounted` is the file that the URL came from, if any: each new connection takes its credentials from there. A statement
    that PostgreSQL has not answered after `answer_seconds` fails; with None it is waited for.
    """
    target = with_driver(make_url(url))
    if target.get_backend_name() == "sqlite":
        return _open_sqlite(target)
    engine = create_engine(
        target, pool_pre_ping=True, pool_recycle=1800, connect_args=POSTGRES_ARGUMENTS, **_json_codec()
    )
    if mounted is not None:
        event.listen(engine, "do_connect", partial(_with_present_credentials, target, mounted))
    if answer_seconds is not None:
        event.listen(engine, "do_connect", partial(_impatiently, answer_seconds))
    return engine


def _with_present_credentials(
    target: URL, mounted: Path, _dialect: Any, _record: Any, _arguments: Any, parameters: dict[str, Any]
) -> None:
    """A changed password needs no restart. A file that is being replaced, or names another database, changes nothing."""
    try:
        present = with_driver(make_url(read_secret(mounted, setting="")))
    except (ValueError, ArgumentError):
        return
    if _place(present) == _place(target):
        parameters |= {"user": present.username, "password": present.password}


def _impatiently(
    answer_seconds: float, _dialect: Any, _record: Any, _arguments: Any, parameters: dict[str, Any]
) -> Any:
    from records.impatient import connect_impatiently

    return connect_impatiently(answer_seconds, parameters)


def _place(url: URL) -> tuple[str | int | None, ...]:
    return url.drivername, url.host, url.port, url.database


def _open_sqlite(target: URL) -> Engine:
    if target.database and target.database != ":memory:":
        Path(target.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(target, connect_args={"timeout": BUSY_TIMEOUT_SECONDS}, **_json_codec())
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    _enter_wal_mode(cursor)
    for pragma in SQLITE_PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _enter_wal_mode(cursor: DBAPICursor) -> None:
    """Waits for its turn by itself: SQLite ignores the busy time-out while a new file changes its journal mode."""
    give_up_at = time.monotonic() + BUSY_TIMEOUT_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > give_up_at:
                raise
            time.sleep(0.02)


def with_driver(target: URL) -> URL:
    """PostgreSQL URLs as everybody writes them mean psycopg 3 here."""
    if target.drivername in ("postgresql", "postgres"):
        return target.set(drivername="postgresql+psycopg")
    return target


def _json_codec() -> dict[str, Any]:
    return {"json_serializer": _to_json, "json_deserializer": _from_json}


def _to_json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _from_json(value: Any) -> Any:
    """SQLite hands a document that is one number over as that number."""
    return value if isinstance(value, int | float) else orjson.loads(value)
