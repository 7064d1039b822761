"""Guessing passwords becomes slow, for existing users and others alike, and nobody can keep an owner out by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.lockout import (
    FREE_BY_ACCOUNT,
    FREE_BY_ADDRESS,
    MAX_WAIT_SECONDS,
    Failures,
    Lockout,
    network_of,
)
from modelkit.errors import IdentityUnavailable, RateLimited
from records.account_keys import pair_prefix
from tests.fakes.clock import FakeClock
from tests.fakes.identity import MemoryLoginFailures

HOME, ABROAD = "192.0.2.7", "203.0.113.9"


class ReadEarlier(MemoryLoginFailures):
    """The same store, read before others wrote to it."""

    def __init__(self, store: MemoryLoginFailures) -> None:
        super().__init__()
        self.kept, self.seen = store.kept, dict(store.kept)

    def read(self, keys: Sequence[str]) -> Mapping[str, Failures]:
        return {key: self.seen[key] for key in keys if key in self.seen}


class Guesser:
    """Says what happens to logins that fail or succeed."""

    def __init__(self) -> None:
        self.clock, self.store = FakeClock(), MemoryLoginFailures()
        self.lockout = Lockout(self.store, clock=self.clock)

    def lives_at(self, username: str, address: str, *, days_ago: float = 1.0) -> None:
        self.store.homes[f"{pair_prefix(username)}{network_of(address)}"] = self.clock() - days_ago * 86_400

    def fails(self, username: str = "ada", address: str = ABROAD, *, times: int = 1) -> None:
        for _ in range(times):
            self.lockout.admit(username=username, address=address).failed()

    def succeeds(self, username: str = "ada", address: str = ABROAD) -> None:
        self.lockout.admit(username=username, address=address).succeeded()

    def must_wait(self, username: str = "ada", address: str = ABROAD) -> int:
        """The seconds in `Retry-After`; 0 where a login may be tried."""
        try:
            self.lockout.admit(username=username, address=address)
        except RateLimited as error:
            return int(dict(error.headers)["Retry-After"])
        return 0


@pytest.fixture
def guesser() -> Guesser:
    return Guesser()


def test_a_few_failures_cost_nothing(guesser: Guesser) -> None:
    guesser.fails(times=FREE_BY_ACCOUNT - 1)
    assert guesser.must_wait() == 0


def test_the_wait_doubles_up_to_a_quarter_of_an_hour(guesser: Guesser) -> None:
    guesser.fails(times=FREE_BY_ACCOUNT)
    waits = []
    for _ in range(11):
        waits.append(guesser.must_wait())
        guesser.clock.advance(waits[-1])
        guesser.fails()
    assert waits == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900]


def test_an_attempt_during_the_wait_does_not_lengthen_it(guesser: Guesser) -> None:
    guesser.fails(times=FREE_BY_ACCOUNT)
    guesser.clock.advance(3)
    for _ in range(50):
        assert guesser.must_wait() == 2


def test_after_the_wait_one_attempt_is_let_through_and_no_second_beside_it(guesser: Guesser) -> None:
    guesser.fails(times=FREE_BY_ACCOUNT)
    guesser.clock.advance(5)
    attempt = guesser.lockout.admit(username="ada", address=ABROAD)
    assert guesser.must_wait() == 10
    attempt.succeeded()
    assert guesser.must_wait() == 0


def test_of_two_replicas_that_read_the_same_one_gets_the_attempt(guesser: Guesser) -> None:
    guesser.fails(times=FREE_BY_ACCOUNT)
    guesser.clock.advance(5)
    other = Lockout(ReadEarlier(guesser.store), clock=guesser.clock)
    guesser.lockout.admit(username="ada", address=ABROAD)
    with pytest.raises(RateLimited):
        other.admit(username="ada", address=ABROAD)


def test_a_day_of_guessing_at_one_account_from_everywhere_is_a_hundred_guesses(guesser: Guesser) -> None:
    began, guesses = guesser.clock(), 0
    while guesser.clock() < began + 86_400:
        address = f"198.51.{guesses // 250}.{guesses % 250}"
        if wait := guesser.must_wait(address=address):
            guesser.clock.advance(wait)
        guesser.fails(address=address)
        guesses += 1
    assert 100 <= guesses <= 110


@given(
    st.lists(st.tuples(st.sampled_from(["203.0.113.9", "203.0.113.10", "2001:db8::1"]), st.integers(0, 2000)))
)
def test_whatever_strangers_do_the_owner_at_home_never_waits(steps: list[tuple[str, int]]) -> None:
    guesser = Guesser()
    guesser.lives_at("ada", HOME)
    for address, seconds in steps:
        guesser.clock.advance(seconds)
        with suppress(RateLimited):
            guesser.fails(address=address)
        assert guesser.must_wait(address=HOME) == 0


def test_a_success_is_forgiveness(guesser: Guesser) -> None:
    guesser.fails(times=FREE_BY_ACCOUNT - 1)
    guesser.succeeds()
    guesser.fails(times=FREE_BY_ACCOUNT - 1)
    assert guesser.must_wait() == 0


def test_an_hour_of_peace_is_forgiveness(guesser: Guesser) -> None:
    guesser.fails(times=FREE_BY_ACCOUNT)
    guesser.clock.advance(3601)
    guesser.fails(times=FREE_BY_ACCOUNT - 1)
    assert guesser.must_wait() == 0


def test_where_somebody_logs_in_is_home_from_then_on(guesser: Guesser) -> None:
    guesser.succeeds(address=HOME)
    guesser.fails(times=FREE_BY_ACCOUNT)
    assert guesser.must_wait(address=HOME) == 0
    assert guesser.must_wait("bob", address=HOME) == 0


def test_a_login_at_home_without_failures_before_it_writes_once_a_day(guesser: Guesser) -> None:
    for _ in range(8):
        guesser.succeeds()
        guesser.clock.advance(6 * 3600)
    assert guesser.store.writes == 2


def test_a_stranger_cannot_lock_out_the_owner_at_home(guesser: Guesser) -> None:
    guesser.lives_at("ada", HOME)
    guesser.fails(times=FREE_BY_ACCOUNT)
    assert guesser.must_wait(address=ABROAD) == 5
    assert guesser.must_wait(address="198.51.100.1") == 5
    assert guesser.must_wait(address=HOME) == 0


def test_guesses_at_home_are_counted_too_and_lock_nobody_elsewhere(guesser: Guesser) -> None:
    guesser.lives_at("ada", HOME)
    guesser.fails(address=HOME, times=FREE_BY_ACCOUNT)
    assert guesser.must_wait(address=HOME) == 5
    assert guesser.must_wait(address=ABROAD) == 0


def test_a_home_that_was_left_long_ago_is_no_home(guesser: Guesser) -> None:
    guesser.lives_at("ada", HOME, days_ago=31)
    guesser.fails(times=FREE_BY_ACCOUNT)
    assert guesser.must_wait(address=HOME) == 5


def test_the_owners_success_at_home_gives_a_stranger_no_new_guesses(guesser: Guesser) -> None:
    guesser.lives_at("ada", HOME)
    guesser.fails(times=FREE_BY_ACCOUNT)
    guesser.succeeds(address=HOME)
    assert guesser.must_wait(address=ABROAD) == 5


def test_one_address_that_guesses_at_many_accounts_must_wait(guesser: Guesser) -> None:
    for number in range(FREE_BY_ADDRESS):
        guesser.fails(f"user-{number}")
    assert guesser.must_wait("yet-another") == 5
    assert guesser.must_wait("yet-another", HOME) == 0


def test_an_account_of_his_own_does_not_reset_what_an_address_has_guessed(guesser: Guesser) -> None:
    for number in range(FREE_BY_ADDRESS):
        guesser.fails(f"user-{number}")
        if number < FREE_BY_ADDRESS - 1:
            guesser.succeeds("mallory")
    assert guesser.must_wait("yet-another") == 5
    guesser.clock.advance(5)
    guesser.succeeds("mallory")
    guesser.fails("yet-another")
    assert guesser.must_wait("yet-another") == 10


def test_a_success_at_a_guilty_address_does_not_make_its_neighbours_wait(guesser: Guesser) -> None:
    for number in range(FREE_BY_ADDRESS):
        guesser.fails(f"user-{number}")
    guesser.clock.advance(5)
    guesser.succeeds("ada")
    guesser.succeeds("bob")


def test_who_lives_at_a_guilty_address_gets_in(guesser: Guesser) -> None:
    guesser.lives_at("ada", ABROAD)
    for number in range(FREE_BY_ADDRESS):
        guesser.fails(f"user-{number}")
    assert guesser.must_wait("ada") == 0
    assert guesser.must_wait("bob") == 5


def test_an_ipv6_subscriber_has_one_address(guesser: Guesser) -> None:
    for number in range(FREE_BY_ADDRESS):
        guesser.fails(f"user-{number}", f"2001:db8:1:2::{number:x}")
    assert guesser.must_wait("eve", "2001:db8:1:2:ffff::1") == 5
    assert guesser.must_wait("eve", "2001:db8:1:3::1") == 0


def test_home_is_the_whole_network_of_an_ipv6_subscriber(guesser: Guesser) -> None:
    guesser.lives_at("ada", "2001:db8:1:2::1")
    guesser.fails(times=FREE_BY_ACCOUNT)
    assert guesser.must_wait(address="2001:db8:1:2:aaaa::9") == 0


def test_without_an_address_the_account_still_counts(guesser: Guesser) -> None:
    guesser.succeeds(address="")
    guesser.fails(address="", times=FREE_BY_ACCOUNT)
    assert guesser.must_wait(address="") == 5
    assert guesser.must_wait("bob", address="") == 0
    assert (len(guesser.store.kept), guesser.store.homes) == (1, {})


def test_a_clock_that_was_wrong_locks_nobody_for_days(guesser: Guesser) -> None:
    guesser.clock.advance(86_400)
    guesser.fails(times=FREE_BY_ACCOUNT)
    guesser.clock.advance(-86_400)
    assert guesser.must_wait() == 0
    guesser.fails(times=FREE_BY_ACCOUNT)
    guesser.clock.advance(-30)
    assert 0 < guesser.must_wait() <= MAX_WAIT_SECONDS


def test_names_are_not_kept_as_they_were_typed(guesser: Guesser) -> None:
    guesser.fails("hunter2-typed-into-the-wrong-field")
    assert "hunter2" not in repr(guesser.store.kept)


def test_the_answer_says_how_long_and_not_what_is_locked(guesser: Guesser) -> None:
    guesser.fails("ada", times=FREE_BY_ACCOUNT)
    for number in range(FREE_BY_ADDRESS):
        guesser.fails(f"user-{number}", HOME)
    told = []
    for name, address in (("ada", ABROAD), ("nobody", HOME)):
        with pytest.raises(RateLimited) as refused:
            guesser.lockout.admit(username=name, address=address)
        told.append((refused.value.detail, refused.value.headers))
    assert told[0] == told[1]


def test_counters_out_of_reach_let_nobody_in(guesser: Guesser) -> None:
    guesser.store.failure = IdentityUnavailable()
    with pytest.raises(IdentityUnavailable):
        guesser.succeeds()
