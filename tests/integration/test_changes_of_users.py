"""What a token is worth that was issued around a change of its user: nothing before it, everything after it, to the moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, func, select

from auth.commands import accounts
from auth.commands.administration import Administration
from auth.database import Database
from auth.login import CLIENT, PERSON, Account
from auth.revocations import SUBJECT, Revocation, Revocations
from auth.session_store import SqlSessions
from auth.sessions import Sessions, Surroundings, Tokens
from auth.tokens import IssuedToken, TokenIssuer
from modelkit.errors import Unauthenticated
from records import revocations
from records.tables import LoginSession
from records.users import find_user
from tests.attacks.corpus.minting import NOW
from tests.attacks.corpus.mints import AUDIENCE, ISSUER
from tests.fakes.clock import FakeClock
from tests.session_world import HOME, KEYS, LIVES, World, account

STEP = 0.000_01
SCOPES = "predict admin"
PASSWORD = "eleven green herons at noon"
# Long enough for a change that nothing holds up.
MEANWHILE_SECONDS = 0.5


class TickingClock(FakeClock):
    """Never tells the same moment twice, and a thousand of them within one second."""

    def __call__(self) -> float:
        self.now += STEP
        return self.now


class InterruptedIssuer(TokenIssuer):
    """Somebody begins to change the user after the user was read and before the token is signed."""

    def __init__(self, clock: FakeClock, change: Callable[[], object]) -> None:
        super().__init__(KEYS, issuer=ISSUER, audience=AUDIENCE, ttl_seconds=900, clock=clock)
        self.changing = threading.Thread(target=change)

    def issue(
        self,
        *,
        subject: str,
        scopes: frozenset[str],
        user_id: int | None = None,
        token_id: str | None = None,
        session_id: str | None = None,
    ) -> IssuedToken:
        self.changing.start()
        self.changing.join(MEANWHILE_SECONDS)
        return super().issue(
            subject=subject, scopes=scopes, user_id=user_id, token_id=token_id, session_id=session_id
        )


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    database = Database(database_url)
    yield World(database, TickingClock(NOW + 0.25))
    database.close()


@pytest.fixture
def admin(world: World, engine: Engine) -> Administration:
    return Administration(engine, "grace", lambda: datetime.fromtimestamp(world.clock(), UTC))


def refused(world: World, engine: Engine, tokens: Tokens) -> bool:
    """As a caller's revocation says; that of the session is left out."""
    rows = revocations.active(engine, datetime.fromtimestamp(NOW, UTC))
    known = Revocations(clock=world.clock)
    known.replace(
        Revocation(row.kind, row.value, row.issued_before.timestamp(), row.expires_at.timestamp())
        for row in rows
        if row.kind == SUBJECT
    )
    return known.covers(world.caller(tokens))


def present(engine: Engine, account: Account) -> Account:
    """As whoever logs in now is proved."""
    row = find_user(engine, account.username)
    assert row is not None
    return replace(account, password_hash=row.password_hash)


def new_secret(admin: Administration) -> None:
    accounts.replace_secret(admin, "ada")


def set_password(admin: Administration) -> None:
    accounts.set_password(admin, "ada", PASSWORD)


def withdraw(admin: Administration) -> None:
    accounts.rescope(admin, "ada", grant="", withdraw="admin")


def disable_and_enable(admin: Administration) -> None:
    accounts.disable(admin, "ada")
    accounts.enable(admin, "ada")


@pytest.mark.parametrize(
    ("kind", "change"),
    [(CLIENT, new_secret), (PERSON, set_password), (PERSON, withdraw), (PERSON, disable_and_enable)],
    ids=["new-secret", "set-password", "rescope", "enable-user"],
)
def test_a_token_of_the_same_second_lives_if_it_was_issued_after_the_change(
    world: World, admin: Administration, engine: Engine, kind: str, change: Callable[[Administration], None]
) -> None:
    ada = account(engine, "ada", scopes=SCOPES, kind=kind)
    before = world.sessions.open(ada, HOME, "predict")
    change(admin)
    after = world.sessions.open(present(engine, ada), HOME, "predict")
    assert (refused(world, engine, before), refused(world, engine, after)) == (True, False)
    assert int(world.clock()) == NOW


@pytest.mark.parametrize("refreshing", [False, True], ids=["login", "refresh"])
def test_a_scope_that_is_taken_away_while_a_token_is_signed_is_in_no_token_that_lives(
    world: World, admin: Administration, engine: Engine, database_url: str, refreshing: bool
) -> None:
    ada = account(engine, "ada", scopes=SCOPES)
    first = world.sessions.open(ada, HOME)
    issuer = InterruptedIssuer(world.clock, lambda: withdraw(admin))
    around = Surroundings(announce=world.announced.append, audit=world.trail, clock=world.clock)
    database = Database(database_url)
    sessions = Sessions(SqlSessions(database), issuer, lives=LIVES, around=around)
    secret = str(first.refresh_token)
    signed = sessions.refresh(secret, None, HOME) if refreshing else sessions.open(ada, HOME)
    issuer.changing.join()
    database.close()
    assert world.caller(signed).has("admin")
    assert refused(world, engine, signed)
    later = world.refresh(signed)
    assert not world.caller(later).has("admin")
    assert not refused(world, engine, later)


def test_a_password_that_was_changed_after_it_was_proved_opens_nothing(
    world: World, admin: Administration, engine: Engine
) -> None:
    proved = account(engine, "ada", scopes=SCOPES)
    accounts.set_password(admin, "ada", PASSWORD)
    with pytest.raises(Unauthenticated):
        world.sessions.open(proved, HOME)
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(LoginSession)).scalar_one() == 0
