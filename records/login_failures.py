"""Failed logins, counted in SQL, so that every replica counts the same ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, case, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from records.tables import LoginFailure

PRUNED_AT_ONCE = 1000


@dataclass(frozen=True, kw_only=True)
class FailureRow:
    key: str
    failures: int
    last_failed_at: datetime


def read(engine: Engine, keys: Sequence[str]) -> list[FailureRow]:
    columns = select(LoginFailure.key, LoginFailure.failures, LoginFailure.last_failed_at)
    with engine.connect() as connection:
        rows = connection.execute(columns.where(LoginFailure.key.in_(keys)))
        return [FailureRow(key=key, failures=count, last_failed_at=last) for key, count, last in rows]


def count(engine: Engine, keys: Iterable[str], *, now: datetime, since: datetime, until: datetime) -> None:
    """One failure more for each; a row that was not touched between `since` and `until` starts again at one.

    In the order of the keys: two transactions that count the same ones never wait for each other.
    """
    with engine.begin() as connection:
        for key in sorted(keys):
            connection.execute(_counted(connection, key, now, (since, until)))


def replace(engine: Engine, old: FailureRow, new: FailureRow) -> bool:
    """Whether the row was still as `old` says: of several who try at once, one succeeds."""
    unchanged = (
        LoginFailure.key == old.key,
        LoginFailure.failures == old.failures,
        LoginFailure.last_failed_at == old.last_failed_at,
    )
    changed = update(LoginFailure).where(*unchanged)
    with engine.begin() as connection:
        done = connection.execute(
            changed.values(failures=new.failures, last_failed_at=new.last_failed_at).returning(
                LoginFailure.id
            )
        )
        return done.first() is not None


def clear(connection: Connection, keys: Sequence[str], *, prefixes: Sequence[str] = ()) -> None:
    """Forgets these keys, and all that begin with one of the prefixes."""
    below = (LoginFailure.key.startswith(prefix, autoescape=True) for prefix in prefixes)
    connection.execute(delete(LoginFailure).where(or_(LoginFailure.key.in_(keys), *below)))


def prune(engine: Engine, *, before: datetime) -> None:
    """Removes some of the rows that no longer count. Rows that somebody is changing are left alone."""
    old = select(LoginFailure.id).where(LoginFailure.last_failed_at < before).limit(PRUNED_AT_ONCE)
    with engine.begin() as connection:
        connection.execute(
            delete(LoginFailure).where(LoginFailure.id.in_(old.with_for_update(skip_locked=True)))
        )


def _counted(connection: Connection, key: str, now: datetime, counts: tuple[datetime, datetime]) -> Any:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    fresh = LoginFailure.last_failed_at.between(*counts)
    return (
        dialect.insert(LoginFailure)
        .values(key=key, failures=1, last_failed_at=now)
        .on_conflict_do_update(
            index_elements=[LoginFailure.key],
            set_={"failures": case((fresh, LoginFailure.failures + 1), else_=1), "last_failed_at": now},
        )
    )
