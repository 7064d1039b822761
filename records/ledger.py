"""The ledger of model versions: who moved which alias, from where to where, why, and on what evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from records.tables import ModelEvent


@dataclass(frozen=True, kw_only=True)
class LedgerEntry:
    """`report` is the gate report, as a JSON document. `at` is an aware datetime."""

    model: str
    version: str
    alias: str
    from_version: str | None
    to_version: str | None
    action: str
    actor: str
    reason: str
    report: Mapping[str, Any] | None
    at: datetime


def append(engine: Engine, entry: LedgerEntry) -> None:
    """Adds one row; there is no way to change or remove one."""
    event = ModelEvent(
        model=entry.model,
        version=entry.version,
        alias=entry.alias,
        from_version=entry.from_version,
        to_version=entry.to_version,
        action=entry.action,
        actor=entry.actor,
        reason=entry.reason,
        report=None if entry.report is None else dict(entry.report),
        created_at=entry.at,
    )
    with Session(engine) as session, session.begin():
        session.add(event)


def history(engine: Engine, model: str) -> list[LedgerEntry]:
    """All moves of one model, newest first."""
    newest_first = (ModelEvent.created_at.desc(), ModelEvent.id.desc())
    with Session(engine) as session:
        events = session.scalars(select(ModelEvent).where(ModelEvent.model == model).order_by(*newest_first))
        return [_entry(event) for event in events]


def _entry(event: ModelEvent) -> LedgerEntry:
    return LedgerEntry(
        model=event.model,
        version=event.version,
        alias=event.alias,
        from_version=event.from_version,
        to_version=event.to_version,
        action=event.action,
        actor=event.actor,
        reason=event.reason,
        report=event.report,
        at=event.created_at,
    )
