"""Proving who somebody is: what is wrong is never told, neither by the answer nor by the work that it takes."""

from __future__ import annotations

import dataclasses

import argon2
import pytest

from auth.audit import Origin
from auth.client_secrets import new_secret, secret_hash
from auth.lockout import FREE_BY_ACCOUNT, FREE_BY_ADDRESS, Lockout
from auth.login import CLIENT, PERSON, Account, Prover
from auth.passwords import Passwords
from modelkit.errors import IdentityUnavailable, RateLimited, Unauthenticated, WrongCredentials
from tests.fakes.clock import FakeClock
from tests.fakes.identity import MemoryLoginFailures, MemoryUserDirectory

PASSWORD = "correct horse battery"
SECRET = new_secret()
ORIGIN = Origin(request_id="r-1", address="192.0.2.7")


class CountingPasswords(Passwords):
    """The real thing, which also remembers how often a hash was computed to compare."""

    def __init__(self) -> None:
        super().__init__()
        self.compared = 0

    def verify(self, password_hash: str, password: str) -> bool:
        self.compared += 1
        return super().verify(password_hash, password)


class Door:
    """A prover with everything around it in memory."""

    def __init__(self) -> None:
        self.passwords = CountingPasswords()
        hashed = self.passwords.hash(PASSWORD)
        ada = Account(user_id=7, username="ada", password_hash=hashed, scopes="predict read", disabled=False)
        bob = Account(user_id=8, username="bob", password_hash=hashed, scopes="predict", disabled=True)
        shop = Account(
            user_id=9,
            username="shop",
            password_hash=secret_hash(SECRET),
            scopes="predict",
            disabled=False,
            kind=CLIENT,
        )
        self.users, self.failures = MemoryUserDirectory(ada, bob, shop), MemoryLoginFailures()
        self.events: list[tuple[str, dict[str, object]]] = []
        self.clock = FakeClock()
        lockout = Lockout(self.failures, clock=self.clock)
        self.prove = Prover(self.users, self.passwords, lockout=lockout, audit=self.audit)

    def audit(self, event: str, **facts: object) -> None:
        self.events.append((event, facts))

    def opens(self, username: str, password: str = PASSWORD, kind: str = PERSON) -> Account:
        return self.prove(username=username, password=password, origin=ORIGIN, kind=kind)


@pytest.fixture
def door() -> Door:
    return Door()


def test_the_right_password_proves_a_user(door: Door) -> None:
    assert door.opens("ada") == door.users.accounts["ada"]
    facts = {"subject": "ada", "kind": PERSON, "address": "192.0.2.7", "request_id": "r-1"}
    assert door.events == [("login", facts)]


def test_a_client_is_proved_as_a_client(door: Door) -> None:
    assert door.opens("shop", SECRET, kind=CLIENT).user_id == 9
    assert door.events[-1][1]["kind"] == CLIENT


WRONG = [
    ("ada", "wrong horse battery", PERSON),
    ("ada", "", PERSON),
    ("nobody", PASSWORD, PERSON),
    ("bob", PASSWORD, PERSON),
    ("bob", "wrong horse battery", PERSON),
    ("ADA", PASSWORD, PERSON),
    ("", PASSWORD, PERSON),
    ("ada\x00", PASSWORD, PERSON),
    ("ada' OR 1=1 --", PASSWORD, PERSON),
    ("\ud800", PASSWORD, PERSON),
    ("x" * 10_000, PASSWORD, PERSON),
    ("shop", SECRET, PERSON),
]
WRONG_CLIENTS = [
    ("shop", "slipway_wrong"),
    ("shop", ""),
    ("shop", "\ud800"),
    ("ada", PASSWORD),
    ("nobody", SECRET),
    ("shop\x00", SECRET),
    ("closed", SECRET),
]


@pytest.mark.parametrize(("username", "secret"), WRONG_CLIENTS, ids=range(len(WRONG_CLIENTS)))
def test_a_wrong_secret_is_refused_without_hashing_and_locks_no_program_out(
    door: Door, username: str, secret: str
) -> None:
    shop = door.users.accounts["shop"]
    door.users.accounts["closed"] = dataclasses.replace(shop, username="closed", disabled=True)
    for _ in range(FREE_BY_ADDRESS + 1):
        with pytest.raises(Unauthenticated):
            door.opens(username, secret, CLIENT)
    assert (door.passwords.compared, door.failures.writes) == (0, 0)
    assert door.opens("shop", SECRET, kind=CLIENT).user_id == 9


@pytest.mark.parametrize(("username", "password", "kind"), WRONG, ids=range(len(WRONG)))
def test_whatever_is_wrong_the_answer_and_the_work_are_the_same(
    door: Door, username: str, password: str, kind: str
) -> None:
    with pytest.raises(Unauthenticated) as refused:
        door.opens(username, password, kind)
    assert type(refused.value) is WrongCredentials
    assert refused.value.detail == "user name or password is wrong"
    assert refused.value.headers == (("WWW-Authenticate", 'Bearer realm="slipway"'),)
    assert (door.passwords.compared, door.failures.writes) == (1, 1)


def test_a_name_that_no_user_can_have_is_not_looked_up(door: Door) -> None:
    with pytest.raises(Unauthenticated):
        door.opens("ada\x00")
    assert door.users.asked == []


def test_an_endless_password_costs_nothing(door: Door) -> None:
    for username in ("ada", "nobody"):
        with pytest.raises(Unauthenticated):
            door.opens(username, "x" * 100_000)
    assert door.passwords.compared == 0


@pytest.mark.parametrize("username", ["ada", "bob", "nobody"])
def test_after_some_failures_everybody_waits_alike_and_without_work(door: Door, username: str) -> None:
    for _ in range(FREE_BY_ACCOUNT):
        with pytest.raises(Unauthenticated):
            door.opens(username, "wrong horse battery")
    with pytest.raises(RateLimited) as locked:
        door.opens(username)
    assert (locked.value.status, dict(locked.value.headers)) == (429, {"Retry-After": "5"})
    assert door.passwords.compared == len(door.users.asked) == FREE_BY_ACCOUNT
    assert [event for event, _ in door.events] == ["login.refused"] * FREE_BY_ACCOUNT + ["login.locked"]


def test_the_right_password_after_the_wait_is_enough(door: Door) -> None:
    for _ in range(FREE_BY_ACCOUNT):
        with pytest.raises(Unauthenticated):
            door.opens("ada", "wrong horse battery")
    door.clock.advance(5)
    assert door.opens("ada").username == "ada"
    assert not any(key.startswith("account:") for key in door.failures.kept)


def test_the_trail_names_those_who_exist_and_nothing_that_was_typed(door: Door) -> None:
    for username in ("ada", "hunter2-in-the-wrong-field"):
        with pytest.raises(Unauthenticated):
            door.opens(username, "wrong horse battery")
    assert [facts["subject"] for _, facts in door.events] == ["ada", None]
    assert "hunter2" not in repr(door.events)
    assert "wrong horse" not in repr(door.events)


def test_a_hash_with_old_parameters_is_replaced_by_the_right_password(door: Door) -> None:
    weaker = argon2.PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash(PASSWORD)
    door.users.accounts["old"] = Account(
        user_id=10, username="old", password_hash=weaker, scopes="predict", disabled=False
    )
    with pytest.raises(Unauthenticated):
        door.opens("old", "wrong horse battery")
    assert door.users.rehashed == []
    door.opens("old")
    door.opens("old")
    assert door.users.rehashed == [10]
    assert not door.passwords.needs_rehash(door.users.accounts["old"].password_hash)


@pytest.mark.parametrize("same", [True, False])
def test_a_hash_that_changes_while_a_new_one_is_made_is_not_undone(door: Door, same: bool) -> None:
    """Another replica was quicker: with the same password, or because an administrator set another one."""
    weaker = argon2.PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash(PASSWORD)
    present = door.passwords.hash(PASSWORD if same else "another horse, another staple")
    old = Account(user_id=10, username="old", password_hash=weaker, scopes="predict", disabled=False)
    door.users.accounts["old"] = old
    door.users.before_change = lambda: door.users.accounts.update(
        old=dataclasses.replace(old, password_hash=present)
    )
    if same:
        assert door.opens("old").password_hash == present
    else:
        with pytest.raises(Unauthenticated):
            door.opens("old")
    assert door.users.accounts["old"].password_hash == present


def test_users_out_of_reach_are_not_wrong_credentials(door: Door) -> None:
    door.users.failure = IdentityUnavailable()
    with pytest.raises(IdentityUnavailable):
        door.opens("ada")


def test_counters_out_of_reach_let_nobody_in(door: Door) -> None:
    door.failures.failure = IdentityUnavailable()
    with pytest.raises(IdentityUnavailable):
        door.opens("ada")
    assert door.passwords.compared == 0
