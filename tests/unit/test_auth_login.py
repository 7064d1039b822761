"""Logging in: what is wrong is never told, and what cannot be written down does not happen."""

from __future__ import annotations

import argon2
import pytest

from auth.keys import SecretKeys
from auth.login import Account, Login
from auth.passwords import Passwords
from auth.tokens import JwtVerifier, TokenIssuer
from modelkit.errors import IdentityUnavailable, Unauthenticated
from tests.fakes.clock import FakeClock
from tests.fakes.forged_tokens import AUDIENCE, ISSUER, NOW, SECRET
from tests.fakes.identity import MemoryUserDirectory

PASSWORD = "correct horse battery"


class CountingPasswords(Passwords):
    """The real thing, which also remembers how often a hash was computed to compare."""

    def __init__(self) -> None:
        super().__init__()
        self.compared = 0

    def verify(self, password_hash: str, password: str) -> bool:
        self.compared += 1
        return super().verify(password_hash, password)


@pytest.fixture
def passwords() -> CountingPasswords:
    return CountingPasswords()


@pytest.fixture
def directory(passwords: CountingPasswords) -> MemoryUserDirectory:
    hashed = passwords.hash(PASSWORD)
    return MemoryUserDirectory(
        Account(user_id=7, username="ada", password_hash=hashed, scopes="predict read", disabled=False),
        Account(user_id=8, username="bob", password_hash=hashed, scopes="predict", disabled=True),
    )


@pytest.fixture
def login(directory: MemoryUserDirectory, passwords: CountingPasswords) -> Login:
    clock = FakeClock(NOW)
    keys = SecretKeys(SECRET, setting="JWT_SECRET_KEY")
    issuer = TokenIssuer(keys, issuer=ISSUER, audience=AUDIENCE, ttl_seconds=900, clock=clock)
    return Login(directory, passwords, issuer=issuer, sessions=directory, clock=clock)


def test_a_user_gets_a_token_that_carries_their_scopes(login: Login) -> None:
    token = login(username="ada", password=PASSWORD, address="192.0.2.7")
    keys = SecretKeys(SECRET, setting="JWT_SECRET_KEY")
    verifier = JwtVerifier(keys, issuer=ISSUER, audience=AUDIENCE, clock=FakeClock(NOW))
    principal = verifier.verify(token.access_token)
    assert (principal.subject, principal.user_id) == ("ada", 7)
    assert principal.scopes == {"predict", "read"}
    assert (token.token_type, token.expires_in, token.scope) == ("Bearer", 900, "predict read")


def test_a_login_is_written_down_under_the_id_of_its_token(
    login: Login, directory: MemoryUserDirectory
) -> None:
    login(username="ada", password=PASSWORD, address="192.0.2.7")
    login(username="ada", password=PASSWORD)
    first, second = directory.sessions
    assert (first.user_id, first.address, first.created_at, first.expires_at) == (
        7,
        "192.0.2.7",
        NOW,
        NOW + 900,
    )
    assert second.address is None
    assert first.token_id != second.token_id


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("ada", "wrong horse battery"),
        ("ada", ""),
        ("nobody", PASSWORD),
        ("bob", PASSWORD),
        ("bob", "wrong horse battery"),
        ("ADA", PASSWORD),
        ("", PASSWORD),
        ("ada\x00", PASSWORD),
        ("ada' OR 1=1 --", PASSWORD),
        ("x" * 10_000, PASSWORD),
    ],
)
def test_whatever_is_wrong_the_answer_and_the_work_are_the_same(
    login: Login, passwords: CountingPasswords, username: str, password: str
) -> None:
    with pytest.raises(Unauthenticated) as refused:
        login(username=username, password=password)
    assert type(refused.value) is Unauthenticated
    assert refused.value.detail == "user name or password is wrong"
    assert refused.value.headers == (("WWW-Authenticate", 'Bearer realm="slipway"'),)
    assert passwords.compared == 1


def test_nothing_is_written_down_for_a_login_that_failed(
    login: Login, directory: MemoryUserDirectory
) -> None:
    with pytest.raises(Unauthenticated):
        login(username="bob", password=PASSWORD)
    assert directory.sessions == []


def test_a_name_that_no_user_can_have_is_not_looked_up(login: Login, directory: MemoryUserDirectory) -> None:
    with pytest.raises(Unauthenticated):
        login(username="ada\x00", password=PASSWORD)
    assert directory.asked == []


def test_an_endless_password_costs_nothing(login: Login, passwords: CountingPasswords) -> None:
    for username in ("ada", "nobody"):
        with pytest.raises(Unauthenticated):
            login(username=username, password="x" * 100_000)
    assert passwords.compared == 0


def test_a_hash_with_old_parameters_is_replaced_at_login(
    login: Login, directory: MemoryUserDirectory, passwords: CountingPasswords
) -> None:
    weaker = argon2.PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash(PASSWORD)
    directory.accounts["old"] = Account(
        user_id=9, username="old", password_hash=weaker, scopes="predict", disabled=False
    )
    with pytest.raises(Unauthenticated):
        login(username="old", password="wrong horse battery")
    assert directory.rehashed == []
    login(username="old", password=PASSWORD)
    login(username="old", password=PASSWORD)
    assert directory.rehashed == [9]
    assert not passwords.needs_rehash(directory.accounts["old"].password_hash)


def test_users_out_of_reach_are_not_wrong_credentials(login: Login, directory: MemoryUserDirectory) -> None:
    directory.failure = IdentityUnavailable()
    with pytest.raises(IdentityUnavailable):
        login(username="ada", password=PASSWORD)


def test_no_token_leaves_when_the_login_cannot_be_written_down(
    directory: MemoryUserDirectory, passwords: CountingPasswords
) -> None:
    unreachable = MemoryUserDirectory()
    unreachable.failure = IdentityUnavailable()
    clock, keys = FakeClock(NOW), SecretKeys(SECRET, setting="JWT_SECRET_KEY")
    issuer = TokenIssuer(keys, issuer=ISSUER, audience=AUDIENCE, ttl_seconds=900, clock=clock)
    login = Login(directory, passwords, issuer=issuer, sessions=unreachable, clock=clock)
    with pytest.raises(IdentityUnavailable):
        login(username="ada", password=PASSWORD)
