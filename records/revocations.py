"""What has been revoked, as rows: the truth that every replica's agent reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, delete, func, insert, select
from sqlalchemy.orm import Session

from records.tables import Revocation

PRUNED_AT_ONCE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationRow:
    """`kind` is `token`, `session` or `subject`; see `records.tables.Revocation`."""

    kind: str
    value: str
    issued_before: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Mark:
    """Another one as soon as other rows are active: cheaper to ask for than the rows. Not `max(id)` alone, because a
    transaction that began earlier may commit later.
    """

    count: int
    ids: int


def add(connection: Connection | Session, rows: Iterable[RevocationRow]) -> None:
    """In the caller's transaction, so that what is revoked and why change together."""
    values = [
        {
            "kind": row.kind,
            "value": row.value,
            "issued_before": row.issued_before,
            "expires_at": row.expires_at,
        }
        for row in rows
    ]
    if values:
        connection.execute(insert(Revocation), values)


def active(engine: Engine, now: datetime) -> list[RevocationRow]:
    chosen = select(Revocation.kind, Revocation.value, Revocation.issued_before, Revocation.expires_at)
    with engine.connect() as connection:
        found = connection.execute(chosen.where(Revocation.expires_at > now)).all()
    return [
        RevocationRow(
            kind=row.kind, value=row.value, issued_before=row.issued_before, expires_at=row.expires_at
        )
        for row in found
    ]


def mark(engine: Engine, now: datetime) -> Mark:
    asked = select(func.count(), func.coalesce(func.sum(Revocation.id), 0)).where(Revocation.expires_at > now)
    with engine.connect() as connection:
        count, ids = connection.execute(asked).one()
    return Mark(int(count), int(ids))


def prune(engine: Engine, now: datetime) -> int:
    """Deletes some of what has expired; how many. Bounded, so that it holds up nobody."""
    old = select(Revocation.id).where(Revocation.expires_at <= now).limit(PRUNED_AT_ONCE)
    with engine.begin() as connection:
        return connection.execute(delete(Revocation).where(Revocation.id.in_(old.scalar_subquery()))).rowcount
