"""From where somebody has logged in lately, by keys that say nothing about either: one look-up, whoever it is about."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from records.tables import KnownAddress

PRUNED_AT_ONCE = 1000


def last_login(engine: Engine, key: str) -> datetime | None:
    with engine.connect() as connection:
        return connection.scalar(select(KnownAddress.last_login_at).where(KnownAddress.key == key))


def remember(engine: Engine, key: str, *, now: datetime) -> None:
    with engine.begin() as connection:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        added = dialect.insert(KnownAddress).values(key=key, last_login_at=now)
        connection.execute(
            added.on_conflict_do_update(index_elements=[KnownAddress.key], set_={"last_login_at": now})
        )


def prune(engine: Engine, *, before: datetime) -> None:
    """Removes some of those that are no longer known. Rows that somebody is changing are left alone."""
    old = select(KnownAddress.id).where(KnownAddress.last_login_at < before).limit(PRUNED_AT_ONCE)
    with engine.begin() as connection:
        connection.execute(
            delete(KnownAddress).where(KnownAddress.id.in_(old.with_for_update(skip_locked=True)))
        )
