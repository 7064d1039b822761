"""Logins and their refresh tokens, as rows. Everything that must not be torn apart is one transaction here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import Connection, Engine, Select, delete, insert, select, update
from sqlalchemy.orm import aliased

from records.revocations import RevocationRow, add
from records.session_rows import EndedRow, OwnerRow, RefreshRow, ReusedRow, RotatedRow, SessionRow, Turn
from records.tables import LoginSession, RefreshToken, User

LISTED_AT_MOST = 1000
PRUNED_AT_ONCE = 1000
# Ended sessions are kept for whoever asks later from where somebody has logged in.
SESSIONS_KEPT = timedelta(days=30)
# From looking at the clock to signing a token.
SIGNED_WITHIN = timedelta(minutes=1)

Signed = TypeVar("Signed")


def open_session(
    engine: Engine, session: SessionRow, refresh: RefreshRow | None, sign: Callable[[OwnerRow], Signed]
) -> Signed | None:
    """What `sign` makes of the user; None, and nothing is written, when the user is disabled by now.

    The user is locked while it signs: a change of the user comes before, and is in the token, or after, and finds it
    issued. On SQLite, the session's row that was written first is the lock.
    """
    with engine.connect() as connection, connection.begin() as transaction:
        connection.execute(
            insert(LoginSession).values(
                user_id=session.user_id,
                token_id=session.session_id,
                address=session.address,
                created_at=session.created_at,
                expires_at=session.expires_at,
            )
        )
        owner = _owner(connection, session.user_id)
        if owner is None:
            transaction.rollback()
            return None
        if refresh is not None:
            connection.execute(
                insert(RefreshToken).values(
                    token_hash=refresh.token_hash,
                    family_id=session.session_id,
                    user_id=session.user_id,
                    scopes=refresh.scopes,
                    issued_at=session.created_at,
                    expires_at=refresh.expires_at,
                )
            )
        return sign(owner)


def rotate(engine: Engine, turn: Turn, sign: Callable[[RotatedRow], Signed]) -> Signed | ReusedRow | None:
    """Uses a token up and puts its successor in its place. One that was used before ends its session.

    None for one that is unknown, has expired, was revoked, or belongs to somebody who may not act any more. `sign` works
    while the user is locked, as in `open_session`; what it raises undoes all.
    """
    with engine.begin() as connection:
        if not _locked(connection, turn):
            return None
        used = connection.execute(
            update(RefreshToken)
            .where(RefreshToken.token_hash == turn.token_hash, RefreshToken.used_at.is_(None))
            .where(RefreshToken.revoked_at.is_(None), RefreshToken.expires_at > turn.now)
            .values(used_at=turn.now)
            .returning(RefreshToken.family_id, RefreshToken.user_id, RefreshToken.scopes)
        ).one_or_none()
        if used is None:
            return _reused(connection, turn)
        ends_at = _touch(connection, used.family_id, turn.now)
        owner = None if ends_at is None else _owner(connection, used.user_id)
        if ends_at is None or owner is None:
            return None
        connection.execute(
            insert(RefreshToken).values(
                token_hash=turn.successor_hash,
                family_id=used.family_id,
                user_id=used.user_id,
                scopes=used.scopes,
                issued_at=turn.now,
                expires_at=min(turn.idle_until, ends_at),
            )
        )
        return sign(RotatedRow(owner=owner, session_id=used.family_id, granted=used.scopes))


def session_of(engine: Engine, token_hash: str) -> tuple[str, int] | None:
    """Session and user of a refresh token, used or not."""
    asked = select(RefreshToken.family_id, RefreshToken.user_id).where(RefreshToken.token_hash == token_hash)
    with engine.connect() as connection:
        row = connection.execute(asked).one_or_none()
    return None if row is None else (row.family_id, row.user_id)


def end_session(
    engine: Engine, user_id: int, session_id: str, *, now: datetime, until: datetime
) -> EndedRow | None:
    """Ends a session of this user, with its refresh tokens and, until `until`, its access tokens. None if there
    is none that is still open.
    """
    with engine.begin() as connection:
        ended = end_sessions(connection, user_id, now=now, until=until, session_id=session_id)
    return ended[0] if ended else None


def end_sessions(
    connection: Connection, user_id: int, *, now: datetime, until: datetime, session_id: str | None = None
) -> Sequence[EndedRow]:
    """The same for all of a user's sessions, or one, in the caller's transaction; those that were open.

    `until` is also as far ahead as a token of now can live: a session that gave none for so long before has none left to
    revoke. So the list of revocations grows with the tokens that were issued lately, not with the sessions there are.
    """
    ending = (
        update(LoginSession)
        .where(
            LoginSession.user_id == user_id, LoginSession.revoked_at.is_(None), LoginSession.expires_at > now
        )
        .values(revoked_at=now)
        .returning(LoginSession.token_id, LoginSession.created_at, LoginSession.last_used_at)
    )
    if session_id is not None:
        ending = ending.where(LoginSession.token_id == session_id)
    since = now - (until - now) - SIGNED_WITHIN
    ended = [
        EndedRow(session_id=row.token_id, in_use=(row.last_used_at or row.created_at) >= since)
        for row in connection.execute(ending)
    ]
    if ended:
        tokens = update(RefreshToken).where(
            RefreshToken.family_id.in_([each.session_id for each in ended]), RefreshToken.revoked_at.is_(None)
        )
        connection.execute(tokens.values(revoked_at=now))
    add(
        connection,
        [
            RevocationRow(kind="session", value=each.session_id, issued_before=now, expires_at=until)
            for each in ended
            if each.in_use
        ],
    )
    return ended


def count_revoked(connection: Connection, user_id: int, session_id: str, *, now: datetime) -> int:
    """How many access tokens of an open session have been revoked one by one, with the one that is being revoked now."""
    counted = (
        update(LoginSession)
        .where(LoginSession.token_id == session_id, LoginSession.user_id == user_id)
        .where(LoginSession.revoked_at.is_(None), LoginSession.expires_at > now)
        .values(revoked_tokens=LoginSession.revoked_tokens + 1)
        .returning(LoginSession.revoked_tokens)
    )
    return connection.execute(counted).scalar_one_or_none() or 0


def end_sessions_of(
    connection: Connection, username: str, *, now: datetime, until: datetime
) -> Sequence[EndedRow]:
    """All of a user's, who is locked first, as by everybody who changes one. None for a name that is no user's."""
    asked = select(User.id).where(User.username == username).with_for_update()
    user_id = connection.execute(asked).scalar_one_or_none()
    return [] if user_id is None else end_sessions(connection, user_id, now=now, until=until)


def list_sessions(engine: Engine, user_id: int, now: datetime) -> list[SessionRow]:
    """Those that are open, the latest first."""
    asked = (
        select(LoginSession)
        .where(
            LoginSession.user_id == user_id, LoginSession.revoked_at.is_(None), LoginSession.expires_at > now
        )
        .order_by(LoginSession.id.desc())
        .limit(LISTED_AT_MOST)
    )
    with engine.connect() as connection:
        rows = connection.execute(asked).all()
    return [
        SessionRow(
            session_id=row.token_id,
            user_id=row.user_id,
            address=row.address,
            created_at=row.created_at,
            last_used_at=row.last_used_at,
            expires_at=row.expires_at,
        )
        for row in rows
    ]


def prune(engine: Engine, now: datetime) -> int:
    """Deletes some of what nobody asks for any more; how many rows. Bounded, so that it holds up nobody."""
    tokens = select(RefreshToken.id).where(RefreshToken.expires_at <= now).limit(PRUNED_AT_ONCE)
    sessions = (
        select(LoginSession.id).where(LoginSession.expires_at <= now - SESSIONS_KEPT).limit(PRUNED_AT_ONCE)
    )
    with engine.begin() as connection:
        gone = connection.execute(delete(RefreshToken).where(RefreshToken.id.in_(tokens.scalar_subquery())))
        ended = connection.execute(
            delete(LoginSession).where(LoginSession.id.in_(sessions.scalar_subquery()))
        )
        spent = connection.execute(
            delete(LoginSession).where(LoginSession.id.in_(_of_clients(now).scalar_subquery()))
        )
    return int(gone.rowcount + ended.rowcount + spent.rowcount)


def _of_clients(now: datetime) -> Select[int]:
    """Those that end with their only token, of which a busy client has many; the latest says when it was here last."""
    newer = aliased(LoginSession)
    later = select(newer.id).where(newer.user_id == LoginSession.user_id, newer.id > LoginSession.id)
    asked = select(LoginSession.id).join(User, User.id == LoginSession.user_id)
    asked = asked.where(User.kind == "client", LoginSession.expires_at <= now, later.exists())
    return asked.limit(PRUNED_AT_ONCE)


def _owner(connection: Connection, user_id: int) -> OwnerRow | None:
    """Locked until the transaction ends, so that nobody is disabled between this look and what follows from it."""
    asked = select(User.username, User.scopes, User.password_hash).where(
        User.id == user_id, User.disabled_at.is_(None)
    )
    row = connection.execute(asked.with_for_update(read=True)).one_or_none()
    return None if row is None else OwnerRow(user_id=user_id, **row._mapping)


def _locked(connection: Connection, turn: Turn) -> bool:
    """Locks user, session and then the token, in the order of everybody else who ends sessions: no two can wait for
    each other. False for a token that nobody knows. SQLite has no such locks, and needs none: it has one writer.
    """
    asked = select(RefreshToken.family_id, RefreshToken.user_id).where(
        RefreshToken.token_hash == turn.token_hash
    )
    known = connection.execute(asked).one_or_none()
    if known is None:
        return False
    connection.execute(select(User.id).where(User.id == known.user_id).with_for_update(read=True))
    session = select(LoginSession.id).where(LoginSession.token_id == known.family_id)
    connection.execute(session.with_for_update())
    return True


def _touch(connection: Connection, session_id: str, now: datetime) -> datetime | None:
    """When the session ends; None if it has."""
    return connection.execute(
        update(LoginSession)
        .where(LoginSession.token_id == session_id)
        .where(LoginSession.revoked_at.is_(None), LoginSession.expires_at > now)
        .values(last_used_at=now)
        .returning(LoginSession.expires_at)
    ).scalar_one_or_none()


def _reused(connection: Connection, turn: Turn) -> ReusedRow | None:
    asked = select(RefreshToken.family_id, RefreshToken.user_id).where(
        RefreshToken.token_hash == turn.token_hash, RefreshToken.used_at.is_not(None)
    )
    row = connection.execute(asked).one_or_none()
    if row is None:
        return None
    ended = end_sessions(
        connection, row.user_id, now=turn.now, until=turn.revoked_until, session_id=row.family_id
    )
    return ReusedRow(user_id=row.user_id, session=ended[0]) if ended else None
