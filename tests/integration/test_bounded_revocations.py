"""Nobody fills the list of revocations, which every pod reads whole: entries are bounded by the tokens there are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from auth.database import Database
from auth.login import CLIENT, Account
from auth.revocations import SESSION, TOKEN
from auth.session_store import REVOKED_ONE_BY_ONE
from auth.sessions import LOGIN, REFRESH, REVOKE
from modelkit.errors import InvalidGrant, RateLimited
from records.sessions import end_sessions, prune
from records.tables import LoginSession, RefreshToken
from tests.front_service import PASSWORD, FrontService
from tests.session_world import HOME, LIVES, World, account, revoked, secret_of
from tests.token_requests import SECRET, bearer, log_in, may, post, refused, service_with_users


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    database = Database(database_url)
    yield World(database)
    database.close()


@pytest.fixture
def ada(engine: Engine) -> Account:
    return account(engine, "ada")


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[FrontService]:
    with service_with_users(tmp_path_factory.mktemp("users"), sqlite_template) as made:
        yield made


def moment(world: World) -> datetime:
    return datetime.fromtimestamp(world.clock(), UTC)


def test_tokens_that_are_revoked_one_by_one_end_their_session_at_last(
    world: World, ada: Account, engine: Engine
) -> None:
    tokens, other = world.sessions.open(ada, HOME), world.sessions.open(ada, HOME)
    for _ in range(REVOKED_ONE_BY_ONE):
        world.sessions.revoke_access(world.caller(tokens), HOME)
        tokens = world.refresh(tokens)
    last = world.caller(tokens)
    for _ in range(2):
        world.sessions.revoke_access(last, HOME)
    kinds = [kind for kind, _ in revoked(engine, world).elements()]
    assert (kinds.count(TOKEN), kinds.count(SESSION)) == (REVOKED_ONE_BY_ONE + 1, 1)
    assert (SESSION, last.session_id) in {(each.kind, each.value) for each in world.announced}
    with pytest.raises(InvalidGrant):
        world.refresh(tokens)
    assert world.refresh(other).scope == "predict read"


def test_sessions_that_gave_no_token_lately_end_without_an_entry(
    world: World, ada: Account, engine: Engine
) -> None:
    idle = [world.sessions.open(ada, HOME) for _ in range(4)]
    successor = world.refresh(idle[0])
    sid = world.caller(idle[1]).session_id
    assert sid is not None
    world.clock.advance(LIVES.access + 2 * LIVES.leeway + 61)
    caller = world.caller(world.sessions.open(ada, HOME))
    with pytest.raises(InvalidGrant):
        world.refresh(idle[0])
    world.sessions.end(caller, sid, HOME)
    world.sessions.revoke_refresh(secret_of(idle[2]), HOME)
    assert (revoked(engine, world), world.announced) == ({}, [])
    until = datetime.fromtimestamp(world.clock() + LIVES.access + 2 * LIVES.leeway, UTC)
    with engine.begin() as connection:
        ended = end_sessions(connection, ada.user_id, now=moment(world), until=until)
    assert len(ended) == 2
    assert revoked(engine, world) == {(SESSION, caller.session_id): 1}
    for tokens in (successor, *idle[1:]):
        with pytest.raises(InvalidGrant):
            world.refresh(tokens)


def test_a_session_that_was_refreshed_lately_is_in_use(world: World, ada: Account, engine: Engine) -> None:
    tokens = world.sessions.open(ada, HOME)
    for _ in range(5):
        world.clock.advance(LIVES.access)
        tokens = world.refresh(tokens)
    world.clock.advance(LIVES.access - 1)
    world.sessions.revoke_refresh(secret_of(tokens), HOME)
    assert sum(revoked(engine, world).values()) == len(world.announced) == 1


@pytest.mark.parametrize("act", [LOGIN, REFRESH, REVOKE])
def test_what_is_done_too_often_leaves_everything_as_it_was(
    world: World, ada: Account, engine: Engine, act: str
) -> None:
    tokens = world.sessions.open(ada, HOME)
    world.too_often.add(act)
    acts = {
        LOGIN: lambda: world.sessions.open(ada, HOME),
        REFRESH: lambda: world.refresh(tokens),
        REVOKE: lambda: world.sessions.revoke_access(world.caller(tokens), HOME),
    }
    with pytest.raises(RateLimited):
        acts[act]()
    assert (revoked(engine, world), world.announced) == ({}, [])
    with engine.connect() as connection:
        for table in (LoginSession, RefreshToken):
            assert connection.scalar(select(func.count()).select_from(table)) == 1
    world.too_often.clear()
    assert world.refresh(tokens).scope == "predict read"


def test_who_may_do_nothing_more_still_ends_sessions(world: World, ada: Account) -> None:
    here, there = world.caller(world.sessions.open(ada, HOME)), world.caller(world.sessions.open(ada, HOME))
    assert there.session_id is not None
    world.too_often.update((LOGIN, REFRESH, REVOKE))
    world.sessions.end(here, there.session_id, HOME)
    world.sessions.log_out(here, HOME)
    assert world.sessions.list(here) == []


def test_spent_sessions_of_a_client_are_cleaned_up_but_the_latest(
    world: World, ada: Account, engine: Engine
) -> None:
    world.sessions.open(ada, HOME)
    shop = account(engine, "shop", kind=CLIENT)
    for _ in range(3):
        tokens = world.sessions.open(shop, HOME)
    assert prune(engine, moment(world)) == 0
    world.clock.advance(LIVES.access)
    assert prune(engine, moment(world)) == 2
    with engine.connect() as connection:
        left = connection.scalars(select(LoginSession.token_id).where(LoginSession.user_id == shop.user_id))
        assert list(left) == [world.caller(tokens).session_id]


def test_one_account_gets_tokens_at_a_pace_and_others_do_not_feel_it(front: FrontService) -> None:
    asked = [
        post(front, "/auth/token", grant_type="client_credentials", client_id="shop", client_secret=SECRET)
        for _ in range(40)
    ]
    late = [answer for answer in asked if answer.status_code != 200]
    assert 1 <= len(late) <= 10
    for answer in late:
        refused(answer, 429, "slow_down")
        assert int(answer.headers["retry-after"]) >= 1
    assert may(front, log_in(front, "ada"))


def test_refreshing_and_revoking_in_a_loop_leaves_a_bounded_list(front: FrontService) -> None:
    tokens = log_in(front, "bob")
    for _ in range(60):
        post(front, "/auth/revoke", token=tokens["access_token"])
        answer = front.ask("POST", "/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
        if answer.status_code != 200:
            answer = front.ask("POST", "/login", json={"username": "bob", "password": PASSWORD})
        if answer.status_code == 429:
            break
        tokens = answer.json()
    assert front.worker.identity.revocations.count <= 45


def test_a_refresh_that_came_too_early_may_be_repeated(front: FrontService) -> None:
    tokens = log_in(front, "ada")
    while True:
        answer = front.ask("POST", "/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
        if answer.status_code != 200:
            break
        tokens = answer.json()
    refused(answer, 429, "slow_down")
    assert may(front, tokens)
    assert front.ask("POST", "/auth/logout", headers=bearer(tokens)).status_code == 200
