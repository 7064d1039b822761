"""`python -m auth` in this process, and what it finds and leaves in the database."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from auth.__main__ import main
from auth.commands import accounts
from auth.commands.administration import Administration
from records import identity_events, revocations
from records.columns import utc_now
from records.session_rows import RefreshRow, SessionRow
from records.sessions import open_session
from records.tables import LoginSession
from records.users import add_user, find_user


@dataclass(frozen=True)
class Done:
    code: int
    said: str
    complained: str

    @property
    def document(self) -> Any:
        return json.loads(self.said)


@dataclass(frozen=True)
class Command:
    """Runs one command on this database."""

    database_url: str
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str, typed: str = "") -> Done:
        where = () if arguments[0] == "hash" else ("--database-url", self.database_url)
        code = main([*arguments, *where], typed=io.StringIO(f"{typed}\n"))
        captured = self.capsys.readouterr()
        return Done(code, captured.out, captured.err)


def log_in(engine: Engine, name: str, session_id: str, address: str = "192.0.2.7") -> None:
    """A session with one refresh token."""
    user, now = find_user(engine, name), utc_now()
    assert user is not None
    opened = open_session(
        engine,
        SessionRow(
            session_id=session_id,
            user_id=user.id,
            address=address,
            created_at=now,
            expires_at=now + timedelta(days=1),
        ),
        RefreshRow(token_hash=f"hash-{session_id}", scopes=user.scopes, expires_at=now + timedelta(hours=1)),
        lambda owner: owner,
    )
    assert opened is not None


def ada(engine: Engine, *, kind: str = "person", scopes: str = "predict read") -> None:
    add_user(engine, username="ada", password_hash="hash", scopes=scopes, kind=kind)


def disable(engine: Engine, name: str) -> None:
    accounts.disable(Administration(engine, "grace"), name)


def revoked(engine: Engine) -> set[tuple[str, str]]:
    return {(row.kind, row.value) for row in revocations.active(engine, utc_now())}


def events(engine: Engine) -> list[tuple[str, str]]:
    return [(row.event, row.subject) for row in identity_events.latest(engine, limit=100)]


def open_sessions(engine: Engine) -> set[str]:
    with Session(engine) as session:
        found = session.scalars(select(LoginSession.token_id).where(LoginSession.revoked_at.is_(None)))
        return set(found)
