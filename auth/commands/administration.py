"""One administrator at work: every change is a transaction that also says who made it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine

from auth.revocations import LONGEST_LIFE_SECONDS, SUBJECT, seconds_ahead
from records import identity_events, login_failures, revocations, sessions, users
from records.columns import utc_now
from records.identity_events import EventRow
from records.revocations import RevocationRow
from records.users import UserRow


@dataclass(frozen=True)
class Administration:
    """`actor` is whoever gives the command."""

    engine: Engine
    actor: str
    clock: Callable[[], datetime] = utc_now

    @contextmanager
    def changing(self, username: str) -> Iterator[Change]:
        """Raises NoSuchUser."""
        with self.engine.begin() as connection:
            user = users.lock_user(connection, username)
            yield Change(self, connection, user, self.clock())

    def write_down(self, connection: Connection, event: str, subject: str, **facts: Any) -> None:
        row = EventRow(event=event, actor=self.actor, subject=subject, facts=facts, at=self.clock())
        identity_events.append(connection, row)

    def revoke(self, connection: Connection, kind: str, value: str) -> None:
        """What was issued up to now; kept until all of it has expired."""
        now = self.clock()
        before = now + timedelta(seconds=seconds_ahead(value))
        until = now + timedelta(seconds=LONGEST_LIFE_SECONDS)
        row = RevocationRow(kind=kind, value=value, issued_before=before, expires_at=until)
        revocations.add(connection, [row])

    def end_sessions_of(self, connection: Connection, username: str) -> int:
        """How many were open; none for somebody who is no user of ours."""
        now = self.clock()
        until = now + timedelta(seconds=LONGEST_LIFE_SECONDS)
        return len(sessions.end_sessions_of(connection, username, now=now, until=until))


@dataclass(frozen=True)
class Change:
    """A change of one user, who is locked from `now` until it is over."""

    by: Administration
    connection: Connection
    user: UserRow
    now: datetime

    def set(self, **values: str | datetime | None) -> None:
        users.change_user(self.connection, self.user.id, **values)

    def revoke_tokens(self) -> None:
        """No access token that was issued up to now is accepted any more."""
        self.by.revoke(self.connection, SUBJECT, self.user.username)

    def end_sessions(self, session_id: str | None = None) -> int:
        """Ends one session or all, with their tokens; how many were open."""
        until = self.now + timedelta(seconds=LONGEST_LIFE_SECONDS)
        ended = sessions.end_sessions(
            self.connection, self.user.id, now=self.now, until=until, session_id=session_id
        )
        return len(ended)

    def forget_failures(self, keys: tuple[str, ...], prefixes: tuple[str, ...]) -> None:
        login_failures.clear(self.connection, keys, prefixes=prefixes)

    def write_down(self, event: str, **facts: Any) -> None:
        self.by.write_down(self.connection, event, self.user.username, **facts)
