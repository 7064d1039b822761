"""Code of the revision before clients and sessions (0001) on today's schema, and what a way back to it leaves behind.

Its statements stand here as it sent them: the code itself is gone.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from records import sessions
from records.columns import utc_now
from records.migrate import downgrade, upgrade
from records.users import add_user, find_user
from tests.auth_commands import Command, ada, log_in

FIND = """
SELECT users.id, users.username, users.password_hash, users.scopes, users.disabled_at, users.created_at
FROM users WHERE users.username = :username
"""
ADD = """
INSERT INTO users (username, password_hash, scopes, disabled_at, created_at)
VALUES (:username, 'hash', 'predict', NULL, :now) RETURNING users.id
"""
DISABLE = "UPDATE users SET disabled_at = :now WHERE users.username = :username"
REHASH = "UPDATE users SET password_hash = :hash WHERE users.id = :id"
LOG_IN = """
INSERT INTO login_sessions (user_id, token_id, address, created_at, expires_at, revoked_at)
VALUES (:id, 'token-1', '192.0.2.7', :now, :later, NULL)
"""
SESSIONS = "SELECT login_sessions.token_id, login_sessions.revoked_at FROM login_sessions"


def send(engine: Engine, statement: str, **values: Any) -> list[Any]:
    with engine.begin() as connection:
        done = connection.execute(text(statement), values)
        return list(done) if done.returns_rows else []


def test_the_code_before_works_on_the_schema_of_now(engine: Engine) -> None:
    now = utc_now().isoformat(sep=" ")
    [(user_id,)] = send(engine, ADD, username="grace", now=now)
    [found] = send(engine, FIND, username="grace")
    assert (found.id, found.scopes, found.disabled_at) == (user_id, "predict", None)
    send(engine, LOG_IN, id=user_id, now=now, later=(utc_now() + timedelta(hours=1)).isoformat(sep=" "))
    send(engine, REHASH, id=user_id, hash="other")
    user = find_user(engine, "grace")
    assert user is not None
    assert (user.kind, user.password_hash, user.disabled) == ("person", "other", False)
    [session] = sessions.list_sessions(engine, user_id, utc_now())
    assert (session.address, session.last_used_at) == ("192.0.2.7", None)
    send(engine, DISABLE, username="grace", now=now)
    user = find_user(engine, "grace")
    assert user is not None
    assert user.disabled


def test_the_code_before_finds_the_users_of_now(engine: Engine) -> None:
    ada(engine)
    log_in(engine, "ada", "s-1")
    [found] = send(engine, FIND, username="ada")
    assert (found.password_hash, found.disabled_at) == ("hash", None)
    assert send(engine, SESSIONS) == [("s-1", None)]


@pytest.mark.parametrize(("kind", "disabled"), [("client", True), ("person", False)])
def test_a_client_does_not_become_a_person_who_may_log_in_by_going_back_and_forward(
    engine: Engine, database_url: str, capsys: pytest.CaptureFixture[str], kind: str, disabled: bool
) -> None:
    add_user(engine, username="shop", password_hash="hash", scopes="predict", kind=kind)
    engine.dispose()
    downgrade(database_url, "0001")
    [found] = send(engine, FIND, username="shop")
    assert (found.disabled_at is not None) is disabled
    upgrade(database_url)
    user = find_user(engine, "shop")
    assert user is not None
    assert (user.kind, user.disabled) == ("person", disabled)
    [listed] = Command(database_url, capsys)("users", "--output", "json").document
    assert listed["disabled"] is disabled
