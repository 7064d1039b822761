"""Who is logged in, as an administrator reads it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, select

from records.tables import LoginSession, User

LISTED_AT_MOST = 1000


@dataclass(frozen=True, kw_only=True)
class OpenSession:
    session_id: str
    username: str
    address: str | None
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime


def open_sessions(engine: Engine, *, now: datetime, username: str | None = None) -> list[OpenSession]:
    """Everybody's or one user's, the latest first."""
    login = LoginSession
    asked = select(
        login.token_id.label("session_id"),
        User.username,
        login.address,
        login.created_at,
        login.last_used_at,
        login.expires_at,
    ).join(User, User.id == login.user_id)
    asked = asked.where(login.revoked_at.is_(None), login.expires_at > now)
    if username is not None:
        asked = asked.where(User.username == username)
    with engine.connect() as connection:
        rows = connection.execute(asked.order_by(login.id.desc()).limit(LISTED_AT_MOST)).mappings()
        return [OpenSession(**row) for row in rows]
