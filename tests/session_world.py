"""Sessions over a real database, with a clock of the test's, and what was announced and audited on the way."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from sqlalchemy import Engine, update

from auth.audit import Origin
from auth.database import Database
from auth.keys import SecretKeys
from auth.login import Account
from auth.principal import Principal
from auth.revocations import Revocation
from auth.session_store import SqlSessions
from auth.sessions import Lives, Sessions, Surroundings, Tokens
from auth.tokens import JwtVerifier, TokenIssuer
from modelkit.errors import RateLimited
from records import revocations
from records.tables import User
from records.users import add_user
from tests.attacks.corpus.minting import NOW
from tests.attacks.corpus.mints import AUDIENCE, ISSUER, SECRET
from tests.fakes.clock import FakeClock
from tests.fakes.trail import Trail

LIVES = Lives(access=900, refresh=10_000, session=50_000, leeway=5)
KEYS = SecretKeys(SECRET, setting="KEY")
HOME = Origin(request_id="r-1", address="192.0.2.7")


class World:
    """Sessions over one database; remembers what was announced and audited. `too_often` are acts that are refused."""

    def __init__(self, database: Database, clock: FakeClock | None = None) -> None:
        self.clock, self.trail = clock or FakeClock(NOW), Trail()
        self.announced: list[Revocation] = []
        self.too_often: set[str] = set()
        issuer = TokenIssuer(KEYS, issuer=ISSUER, audience=AUDIENCE, ttl_seconds=900, clock=self.clock)
        self.verifier = JwtVerifier(KEYS, issuer=ISSUER, audience=AUDIENCE, clock=self.clock)
        around = Surroundings(
            announce=self.announced.append, audit=self.trail, clock=self.clock, pace=self._pace
        )
        self.sessions = Sessions(SqlSessions(database), issuer, lives=LIVES, around=around)

    def _pace(self, subject: str, act: str) -> None:
        if act in self.too_often:
            raise RateLimited

    def caller(self, tokens: Tokens) -> Principal:
        return self.verifier.verify(tokens.access_token)

    def refresh(self, tokens: Tokens, scopes: str | None = None) -> Tokens:
        return self.sessions.refresh(secret_of(tokens), scopes, HOME)


def secret_of(tokens: Tokens) -> str:
    assert isinstance(tokens.refresh_token, str)
    return tokens.refresh_token


def account(engine: Engine, name: str, *, scopes: str = "predict read", kind: str = "person") -> Account:
    row = add_user(engine, username=name, password_hash="-", scopes=scopes, kind=kind)
    return Account(user_id=row.id, username=name, password_hash="-", scopes=scopes, disabled=False, kind=kind)


def rescope(engine: Engine, name: str, scopes: str) -> None:
    with engine.begin() as connection:
        connection.execute(update(User).where(User.username == name).values(scopes=scopes))


def revoked(engine: Engine, world: World) -> Counter[tuple[str, str]]:
    rows = revocations.active(engine, datetime.fromtimestamp(world.clock(), UTC))
    return Counter((row.kind, row.value) for row in rows)
