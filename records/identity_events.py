"""What administrators did to users, clients and sessions: written in the transaction that does it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, insert, select

from records.tables import IdentityEvent


@dataclass(frozen=True, kw_only=True)
class EventRow:
    """`facts` is a JSON document without secrets. `at` is an aware datetime."""

    event: str
    actor: str
    subject: str
    facts: Mapping[str, Any]
    at: datetime


def append(connection: Connection, row: EventRow) -> None:
    """Adds one; there is no way to change or remove one."""
    connection.execute(
        insert(IdentityEvent).values(
            event=row.event,
            actor=row.actor,
            subject=row.subject,
            facts=dict(row.facts) or None,
            created_at=row.at,
        )
    )


def latest(engine: Engine, *, limit: int, subject: str | None = None) -> list[EventRow]:
    """Newest first; all of them, or those about one subject."""
    event = IdentityEvent
    asked = select(event.event, event.actor, event.subject, event.facts, event.created_at)
    if subject is not None:
        asked = asked.where(event.subject == subject)
    with engine.connect() as connection:
        rows = connection.execute(asked.order_by(event.created_at.desc(), event.id.desc()).limit(limit))
        return [
            EventRow(event=name, actor=actor, subject=about, facts=facts or {}, at=at)
            for name, actor, about, facts, at in rows
        ]
