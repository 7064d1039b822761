"""Sessions on real databases: opened, refreshed once per token, and never with more than was granted."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, func, select

from auth.database import Database
from auth.login import CLIENT, Account
from auth.revocations import SESSION
from modelkit.errors import InvalidGrant, InvalidScope, Unauthenticated
from records.tables import LoginSession, RefreshToken
from tests.auth_commands import disable
from tests.session_world import HOME, LIVES, World, account, rescope, revoked, secret_of


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


def test_a_session_gives_an_access_token_that_names_it_and_a_refresh_token(
    world: World, ada: Account, engine: Engine
) -> None:
    tokens = world.sessions.open(ada, HOME)
    caller = world.caller(tokens)
    assert (caller.subject, caller.user_id) == ("ada", ada.user_id)
    assert caller.scopes == {"predict", "read"}
    [session] = world.sessions.list(caller)
    assert (session.session_id, session.address) == (caller.session_id, HOME.address)
    assert len(secret_of(tokens)) == 43
    with engine.connect() as connection:
        [stored] = connection.execute(select(RefreshToken.token_hash)).scalars()
    assert secret_of(tokens) not in stored
    assert world.trail.of("token.issued")


def test_no_token_and_no_hash_of_one_is_audited(world: World, ada: Account) -> None:
    tokens = world.sessions.open(ada, HOME)
    successor = world.refresh(tokens)
    with pytest.raises(InvalidGrant):
        world.refresh(tokens)
    told = repr(world.trail.events)
    for each in (tokens, successor):
        assert each.access_token not in told
        assert secret_of(each) not in told


def test_a_refresh_token_is_good_for_one_use_and_its_successor_for_the_next(
    world: World, ada: Account
) -> None:
    tokens = world.sessions.open(ada, HOME)
    sid = world.caller(tokens).session_id
    for _ in range(3):
        world.clock.advance(600)
        tokens = world.refresh(tokens)
        caller = world.caller(tokens)
        assert (caller.session_id, caller.issued_at) == (sid, world.clock())
    [session] = world.sessions.list(caller)
    assert session.last_used_at == datetime.fromtimestamp(world.clock(), UTC)


def test_a_reused_refresh_token_ends_its_session_and_no_other(
    world: World, ada: Account, engine: Engine
) -> None:
    other = world.sessions.open(ada, HOME)
    stolen = world.sessions.open(ada, HOME)
    sid = world.caller(stolen).session_id
    successor = world.refresh(stolen)
    for refused in (stolen, successor, stolen):
        with pytest.raises(InvalidGrant):
            world.refresh(refused)
    assert revoked(engine, world) == {(SESSION, sid): 1}
    assert [(each.kind, each.value) for each in world.announced] == [(SESSION, sid)]
    assert len(world.trail.of("token.reused")) == 1
    assert world.caller(world.refresh(other)).session_id != sid


def test_a_hundred_refreshes_at_once_give_one_successor(world: World, ada: Account, engine: Engine) -> None:
    tokens = world.sessions.open(ada, HOME)

    def attempt(_: int) -> str:
        try:
            return secret_of(world.refresh(tokens))
        except InvalidGrant:
            return ""

    with ThreadPoolExecutor(12) as pool:
        got = list(pool.map(attempt, range(100)))
    assert len([token for token in got if token]) == 1
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(RefreshToken)) == 2
    assert sum(revoked(engine, world).values()) == 1


def test_an_idle_refresh_token_ends_and_using_it_is_no_theft(
    world: World, ada: Account, engine: Engine
) -> None:
    tokens = world.sessions.open(ada, HOME)
    world.clock.advance(LIVES.refresh)
    with pytest.raises(InvalidGrant):
        world.refresh(tokens)
    assert revoked(engine, world) == {}


def test_a_session_ends_however_often_it_was_refreshed(world: World, ada: Account) -> None:
    tokens = world.sessions.open(ada, HOME)
    for _ in range(5):
        world.clock.advance(LIVES.session / 6)
        tokens = world.refresh(tokens)
    world.clock.advance(LIVES.session / 6)
    with pytest.raises(InvalidGrant):
        world.refresh(tokens)
    assert world.sessions.list(world.verifier.verify(world.sessions.open(ada, HOME).access_token)) != []


def test_a_refresh_may_ask_for_less_and_gets_all_again_later(world: World, ada: Account) -> None:
    less = world.refresh(world.sessions.open(ada, HOME), "predict:iris")
    assert world.caller(less).scopes == {less.scope} == {"predict:iris"}
    assert world.refresh(less).scope == "predict read"


@pytest.mark.parametrize("scopes", ["admin", "predict admin", "read feedback", 'predict "', "\u00e9"])
def test_asking_for_more_is_refused_and_leaves_the_token_good(
    world: World, ada: Account, scopes: str
) -> None:
    tokens = world.sessions.open(ada, HOME)
    with pytest.raises(InvalidScope):
        world.refresh(tokens, scopes)
    assert world.refresh(tokens).scope == "predict read"


def test_a_login_may_ask_for_less_and_its_session_never_gets_more(world: World, ada: Account) -> None:
    tokens = world.sessions.open(ada, HOME, "predict:iris")
    assert tokens.scope == "predict:iris"
    with pytest.raises(InvalidScope):
        world.refresh(tokens, "predict")
    with pytest.raises(InvalidScope):
        world.sessions.open(ada, HOME, "admin")


def test_a_user_who_may_less_meanwhile_gets_less_and_who_may_more_gets_what_the_login_had(
    world: World, ada: Account, engine: Engine
) -> None:
    tokens = world.sessions.open(ada, HOME)
    rescope(engine, "ada", "predict:iris admin")
    tokens = world.refresh(tokens)
    assert tokens.scope == "predict:iris"
    rescope(engine, "ada", "predict read admin")
    assert world.refresh(tokens).scope == "predict read"


def test_a_user_disabled_meanwhile_gets_nothing_more(world: World, ada: Account, engine: Engine) -> None:
    tokens = world.sessions.open(ada, HOME)
    disable(engine, "ada")
    with pytest.raises(InvalidGrant):
        world.refresh(tokens)
    with pytest.raises(Unauthenticated):
        world.sessions.open(ada, HOME)
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(LoginSession)) == 1


def test_a_client_gets_no_refresh_token_and_a_session_as_long_as_its_token(
    world: World, engine: Engine
) -> None:
    tokens = world.sessions.open(account(engine, "shop", kind=CLIENT), HOME)
    assert not isinstance(tokens.refresh_token, str)
    caller = world.caller(tokens)
    [session] = world.sessions.list(caller)
    assert session.expires_at.timestamp() == caller.expires_at
