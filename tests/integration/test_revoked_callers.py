"""What a caller of another issuer has when he is revoked is refused, also where his issuer's clock is ahead of ours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from auth.database import Database
from auth.principal import Principal
from auth.revocations import LONGEST_LEEWAY_SECONDS, Revocation, Revocations
from records import revocations
from records.columns import utc_now
from tests.auth_commands import Command
from tests.session_world import HOME, LIVES, World, account


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    database = Database(database_url)
    yield World(database)
    database.close()


def issued(subject: str, at: float) -> Principal:
    return Principal(
        subject=subject,
        issuer="some",
        scopes=frozenset(),
        expires_at=at + 3600,
        user_id=None,
        token_id="t",
        issued_at=at,
    )


def listed(engine: Engine, now: datetime) -> Revocations:
    """As an agent reads the table."""
    known = Revocations()
    known.replace(
        Revocation(row.kind, row.value, row.issued_before.timestamp(), row.expires_at.timestamp())
        for row in revocations.active(engine, now)
    )
    return known


def test_a_token_from_a_clock_ahead_is_refused_with_the_others(world: World, engine: Engine) -> None:
    now = world.clock()
    admin = world.caller(world.sessions.open(account(engine, "root", scopes="admin"), HOME))
    for subject in ("corp:ada", "ada"):
        world.sessions.revoke_subject(subject, admin, HOME)
    known = listed(engine, datetime.fromtimestamp(now, UTC))
    for name in world.announced:
        known.add(name)
    assert known.covers(issued("corp:ada", now + LIVES.leeway))
    assert not known.covers(issued("corp:ada", now + LIVES.leeway + 1))
    assert known.covers(issued("ada", now))
    assert not known.covers(issued("ada", now + 0.001)), "our own clock is not ahead of itself"


def test_the_command_reckons_with_the_longest_leeway(
    database_url: str, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert Command(database_url, capsys)("revoke", "--subject", "corp:ada").code == 0
    now = utc_now()
    known = listed(engine, now)
    assert known.covers(issued("corp:ada", now.timestamp() + LONGEST_LEEWAY_SECONDS - 10))
    assert not known.covers(issued("corp:ada", now.timestamp() + LONGEST_LEEWAY_SECONDS + 1))
