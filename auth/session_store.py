"""Sessions and revocations in SQL, as `auth.sessions` asks for them; SQLAlchemy is imported on first use."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from auth.database import Database
from auth.revocations import SUBJECT, Revocation
from records.session_rows import EndedRow, OwnerRow, RefreshRow, ReusedRow, RotatedRow, SessionRow, Turn

if TYPE_CHECKING:
    from records.revocations import RevocationRow

Signed = TypeVar("Signed")

# Access tokens of one session; the next one ends it, which is one entry for all that come after.
REVOKED_ONE_BY_ONE = 7


class SqlSessions:
    """Everything here raises IdentityUnavailable when the database cannot be asked."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(
        self, session: SessionRow, refresh: RefreshRow | None, sign: Callable[[OwnerRow], Signed]
    ) -> Signed | None:
        """`sign` works while the user is locked, so that no change of the user falls between reading and signing."""
        from records import sessions

        with self._database.engine() as engine:
            return sessions.open_session(engine, session, refresh, sign)

    def rotate(self, turn: Turn, sign: Callable[[RotatedRow], Signed]) -> Signed | ReusedRow | None:
        """`sign` works while the user is locked; what it raises leaves the token as it was."""
        from records import sessions

        with self._database.engine() as engine:
            return sessions.rotate(engine, turn, sign)

    def session_of(self, token_hash: str) -> tuple[str, int] | None:
        from records import sessions

        with self._database.engine() as engine:
            return sessions.session_of(engine, token_hash)

    def end(self, user_id: int, revocation: Revocation) -> EndedRow | None:
        """Ends the session that `revocation` names, if it is this user's and open."""
        from records import sessions

        now, until = _moment(revocation.issued_before), _moment(revocation.expires_at)
        with self._database.engine() as engine:
            return sessions.end_session(engine, user_id, revocation.value, now=now, until=until)

    def list(self, user_id: int, now: float) -> list[SessionRow]:
        from records import sessions

        with self._database.engine() as engine:
            return sessions.list_sessions(engine, user_id, _moment(now))

    def revoke_token(self, token: Revocation, user_id: int, session: Revocation) -> Revocation:
        """What was revoked: the token, or all of its session where that has had too many revoked one by one."""
        from records import revocations, sessions

        now, until = _moment(session.issued_before), _moment(session.expires_at)
        with self._database.engine() as engine, engine.begin() as connection:
            if sessions.count_revoked(connection, user_id, session.value, now=now) <= REVOKED_ONE_BY_ONE:
                revocations.add(connection, [_row(token)])
                return token
            sessions.end_sessions(connection, user_id, now=now, until=until, session_id=session.value)
            return session

    def revoke(self, revocation: Revocation, *, by: str = "", request_id: str = "") -> None:
        """`by` is an administrator, whose doing is written down in the same transaction. A user of ours who is revoked
        has no session left to get new tokens from.
        """
        from records import identity_events, revocations, sessions

        row = _row(revocation)
        with self._database.engine() as engine, engine.begin() as connection:
            if revocation.kind == SUBJECT:
                sessions.end_sessions_of(connection, row.value, now=row.issued_before, until=row.expires_at)
            revocations.add(connection, [row])
            if by:
                event = identity_events.EventRow(
                    event=f"{row.kind}.revoked",
                    actor=by,
                    subject=row.value,
                    facts={"request_id": request_id},
                    at=row.issued_before,
                )
                identity_events.append(connection, event)


def _row(revocation: Revocation) -> RevocationRow:
    from records.revocations import RevocationRow

    return RevocationRow(
        kind=revocation.kind,
        value=revocation.value,
        issued_before=_moment(revocation.issued_before),
        expires_at=_moment(revocation.expires_at),
    )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
