"""Everybody who can log in, as an administrator reads it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, func, select

from records.columns import UtcDateTime
from records.tables import LoginSession, User


@dataclass(frozen=True, kw_only=True)
class ListedUser:
    """A user as an administrator sees one. `last_login_at` is None for those who have not logged in of late."""

    username: str
    kind: str
    scopes: str
    created_at: datetime
    disabled_at: datetime | None
    last_login_at: datetime | None


def list_users(engine: Engine) -> list[ListedUser]:
    """Everybody, by name."""
    last = func.max(LoginSession.created_at, type_=UtcDateTime()).label("last_login_at")
    columns = User.username, User.kind, User.scopes, User.created_at, User.disabled_at
    asked = select(*columns, last).outerjoin(LoginSession, LoginSession.user_id == User.id)
    with engine.connect() as connection:
        rows = connection.execute(asked.group_by(User.id, *columns).order_by(User.username)).mappings()
        return [ListedUser(**row) for row in rows]
