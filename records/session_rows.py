"""Logins and their refresh tokens as they are handed to and fro; light, for those who must not import SQLAlchemy."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class SessionRow:
    session_id: str
    user_id: int
    address: str | None
    created_at: datetime
    last_used_at: datetime | None = None
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class RefreshRow:
    """`scopes` are those that the login was granted, space-separated."""

    token_hash: str
    scopes: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class OwnerRow:
    """A user who may act now, with the scopes and the password of now."""

    user_id: int
    username: str
    scopes: str
    password_hash: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class RotatedRow:
    """`granted` are the scopes of the login."""

    owner: OwnerRow
    session_id: str
    granted: str


@dataclass(frozen=True, kw_only=True)
class EndedRow:
    """A session that was ended just now; `in_use` while access tokens of it may be good."""

    session_id: str
    in_use: bool


@dataclass(frozen=True, kw_only=True)
class ReusedRow:
    """A token that was used before, and its session, which has been ended by this."""

    user_id: int
    session: EndedRow


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One use of a refresh token: the hash of its successor, which is good until `idle_until` or its session's end.
    `revoked_until` is when every access token of the session will have expired.
    """

    token_hash: str
    successor_hash: str
    now: datetime
    idle_until: datetime
    revoked_until: datetime
