"""Sessions on real databases: refreshed once per token, never with more than was granted, and ended for good."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, func, select, update

from auth.audit import Origin
from auth.database import Database
from auth.keys import SecretKeys
from auth.login import CLIENT, Account
from auth.principal import Principal
from auth.revocations import SESSION, SUBJECT, TOKEN, Revocation
from auth.session_store import SqlSessions
from auth.sessions import Lives, Sessions, Surroundings, Tokens
from auth.tokens import JwtVerifier, TokenIssuer
from modelkit.errors import IdentityUnavailable, InvalidGrant, InvalidScope, SessionNotFound, Unauthenticated
from records import revocations
from records.identity_events import latest
from records.sessions import end_sessions, prune
from records.tables import LoginSession, RefreshToken, User
from records.users import add_user, set_disabled
from tests.attacks.corpus.minting import NOW
from tests.attacks.corpus.mints import AUDIENCE, ISSUER, SECRET
from tests.fakes.clock import FakeClock
from tests.fakes.trail import Trail

LIVES = Lives(access=900, refresh=10_000, session=50_000, leeway=5)
HOME = Origin(request_id="r-1", address="192.0.2.7")


class World:
    """Sessions over one database; remembers what was announced and audited."""

    def __init__(self, database: Database) -> None:
        self.clock, self.trail = FakeClock(NOW), Trail()
        self.announced: list[Revocation] = []
        keys = SecretKeys(SECRET, setting="KEY")
        issuer = TokenIssuer(keys, issuer=ISSUER, audience=AUDIENCE, ttl_seconds=900, clock=self.clock)
        self.verifier = JwtVerifier(keys, issuer=ISSUER, audience=AUDIENCE, clock=self.clock)
        around = Surroundings(announce=self.announced.append, audit=self.trail, clock=self.clock)
        self.sessions = Sessions(SqlSessions(database), issuer, lives=LIVES, around=around)

    def caller(self, tokens: Tokens) -> Principal:
        return self.verifier.verify(tokens.access_token)

    def refresh(self, tokens: Tokens, scopes: str | None = None) -> Tokens:
        return self.sessions.refresh(secret_of(tokens), scopes, HOME)


def secret_of(tokens: Tokens) -> str:
    assert isinstance(tokens.refresh_token, str)
    return tokens.refresh_token


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


def account(engine: Engine, name: str, *, scopes: str = "predict read", kind: str = "person") -> Account:
    row = add_user(engine, username=name, password_hash="-", scopes=scopes, kind=kind)
    return Account(user_id=row.id, username=name, password_hash="-", scopes=scopes, disabled=False, kind=kind)


def rescope(engine: Engine, name: str, scopes: str) -> None:
    with engine.begin() as connection:
        connection.execute(update(User).where(User.username == name).values(scopes=scopes))


def revoked(engine: Engine, world: World) -> Counter[tuple[str, str]]:
    rows = revocations.active(engine, datetime.fromtimestamp(world.clock(), UTC))
    return Counter((row.kind, row.value) for row in rows)


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
    set_disabled(engine, "ada", disabled=True)
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


def test_ending_all_sessions_of_a_user_revokes_each(
    world: World, ada: Account, bob: Account, engine: Engine
) -> None:
    hers = {world.caller(world.sessions.open(ada, HOME)).session_id for _ in range(3)}
    his = world.sessions.open(bob, HOME)
    now = datetime.fromtimestamp(world.clock(), UTC)
    with engine.begin() as connection:
        assert set(end_sessions(connection, ada.user_id, now=now, until=now.replace(year=2200))) == hers
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
