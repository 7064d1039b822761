"""Sessions on real databases: how they end, what that revokes, and what is cleaned up after them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, func, select

from auth.database import Database
from auth.login import Account
from auth.revocations import SESSION, SUBJECT, TOKEN
from modelkit.errors import IdentityUnavailable, InvalidGrant, SessionNotFound
from records.identity_events import latest
from records.sessions import end_sessions, prune
from records.tables import LoginSession
from tests.session_world import HOME, LIVES, World, account, revoked, secret_of


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    database = Database(database_url)
    yield World(database)
    database.close()


@pytest.fixture
def ada(engine: Engine) -> Account:
    return account(engine, "ada")


@pytest.fixture
def bob(engine: Engine) -> Account:
    return account(engine, "bob")


def test_logging_out_ends_the_session(world: World, ada: Account, engine: Engine) -> None:
    tokens = world.sessions.open(ada, HOME)
    caller = world.caller(tokens)
    world.sessions.log_out(caller, HOME)
    with pytest.raises(InvalidGrant):
        world.refresh(tokens)
    assert world.sessions.list(caller) == []
    assert revoked(engine, world) == {(SESSION, caller.session_id): 1}
    [announced] = world.announced
    assert announced.expires_at >= caller.expires_at
    assert world.trail.of("session.ended")


def test_somebody_elses_session_cannot_be_ended_or_told_from_none(
    world: World, ada: Account, bob: Account, engine: Engine
) -> None:
    hers, his = world.caller(world.sessions.open(ada, HOME)), world.caller(world.sessions.open(bob, HOME))
    assert hers.session_id is not None
    for session_id in (hers.session_id, "0" * 32):
        with pytest.raises(SessionNotFound):
            world.sessions.end(his, session_id, HOME)
    assert revoked(engine, world) == {}
    world.sessions.end(hers, hers.session_id, HOME)
    with pytest.raises(SessionNotFound):
        world.sessions.end(hers, hers.session_id, HOME)


def test_revoking_a_refresh_token_ends_its_session_even_when_it_was_used(
    world: World, ada: Account, engine: Engine
) -> None:
    tokens = world.sessions.open(ada, HOME)
    successor = world.refresh(tokens)
    for _ in range(2):
        world.sessions.revoke_refresh(secret_of(tokens), HOME)
    world.sessions.revoke_refresh("A" * 43, HOME)
    assert revoked(engine, world) == {(SESSION, world.caller(successor).session_id): 1}
    with pytest.raises(InvalidGrant):
        world.refresh(successor)


def test_revoking_an_access_token_leaves_the_session(world: World, ada: Account, engine: Engine) -> None:
    tokens = world.sessions.open(ada, HOME)
    caller = world.caller(tokens)
    world.sessions.revoke_access(caller, HOME)
    assert revoked(engine, world) == {(TOKEN, caller.token_id): 1}
    assert world.caller(world.refresh(tokens)).token_id != caller.token_id


def test_revoking_a_subject_is_told_with_who_did_it(world: World, ada: Account, engine: Engine) -> None:
    admin = world.caller(world.sessions.open(account(engine, "root", scopes="admin"), HOME))
    world.sessions.revoke_subject("corp:ada", admin, HOME)
    assert revoked(engine, world) == {(SUBJECT, "corp:ada"): 1}
    assert world.trail.of("token.revoked")[0]["actor"] == "root"
    [event] = latest(engine, limit=10)
    assert (event.event, event.actor, event.subject) == ("subject.revoked", "root", "corp:ada")
    assert event.facts == {"request_id": HOME.request_id}


def test_a_revoked_user_has_no_session_to_get_new_tokens_from(
    world: World, ada: Account, bob: Account, engine: Engine
) -> None:
    hers, his = world.sessions.open(ada, HOME), world.sessions.open(bob, HOME)
    admin = world.caller(world.sessions.open(account(engine, "root", scopes="admin"), HOME))
    world.sessions.revoke_subject("ada", admin, HOME)
    with pytest.raises(InvalidGrant):
        world.refresh(hers)
    assert world.sessions.list(world.caller(hers)) == []
    assert revoked(engine, world) == {(SUBJECT, "ada"): 1, (SESSION, world.caller(hers).session_id): 1}
    assert world.caller(world.refresh(his)).subject == "bob"


def test_ending_all_sessions_of_a_user_revokes_each(
    world: World, ada: Account, bob: Account, engine: Engine
) -> None:
    hers = {world.caller(world.sessions.open(ada, HOME)).session_id for _ in range(3)}
    his = world.sessions.open(bob, HOME)
    now = datetime.fromtimestamp(world.clock(), UTC)
    with engine.begin() as connection:
        ended = end_sessions(connection, ada.user_id, now=now, until=now.replace(year=2200))
    assert {each.session_id for each in ended} == hers
    assert revoked(engine, world) == {(SESSION, each): 1 for each in hers}
    assert world.refresh(his).scope == "predict read"


def test_old_rows_are_cleaned_up_and_what_is_still_asked_for_stays(
    world: World, ada: Account, engine: Engine
) -> None:
    world.refresh(world.sessions.open(ada, HOME))
    world.clock.advance(LIVES.session + 1)
    tokens = world.sessions.open(ada, HOME)
    now = datetime.fromtimestamp(world.clock(), UTC)
    assert prune(engine, now) == 2
    world.clock.advance(29 * 86_400)
    late = datetime.fromtimestamp(world.clock(), UTC)
    assert prune(engine, late) == 1
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(LoginSession)) == 2
    with pytest.raises(InvalidGrant):
        world.refresh(tokens)


def test_without_the_database_a_logout_is_announced_and_must_be_repeated(
    world: World, ada: Account, tmp_path: object
) -> None:
    caller = world.caller(world.sessions.open(ada, HOME))
    away = World(Database(f"sqlite:///{tmp_path}/empty.db"))
    with pytest.raises(IdentityUnavailable):
        away.sessions.log_out(caller, HOME)
    with pytest.raises(IdentityUnavailable):
        away.sessions.revoke_access(caller, HOME)
    assert [(each.kind, each.value) for each in away.announced] == [
        (SESSION, caller.session_id),
        (TOKEN, caller.token_id),
    ]
