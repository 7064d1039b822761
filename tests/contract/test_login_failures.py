"""What every store of failed logins does: the one of the tests, and the one on SQL."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from auth.database import Database
from auth.lockout import KNOWN_FOR_SECONDS, Failures
from auth.login_failures import PRUNE_EVERY_SECONDS, SqlLoginFailures
from modelkit.errors import IdentityUnavailable
from tests.fakes.identity import MemoryLoginFailures

Store = MemoryLoginFailures | SqlLoginFailures
NOW = 1_800_000_000.123456
HOUR = 3600.0


@pytest.fixture
def on_sql(database_url: str) -> Iterator[SqlLoginFailures]:
    database = Database(database_url)
    yield SqlLoginFailures(database)
    database.close()


def fail(store: Store, *keys: str, now: float = NOW) -> None:
    store.count(keys, now=now, since=now - HOUR, until=now + 60)


class StoreContract:
    """Inherited by one class for each implementation."""

    def test_failures_are_counted_by_key(self, store: Store) -> None:
        fail(store, "account:a", "address:x")
        fail(store, "account:a", now=NOW + 1.5)
        assert store.read(["account:a", "address:x", "other"]) == {
            "account:a": Failures(count=2, last=NOW + 1.5),
            "address:x": Failures(count=1, last=NOW),
        }

    def test_nothing_is_read_for_no_keys(self, store: Store) -> None:
        assert store.read([]) == {}

    @pytest.mark.parametrize("later", [HOUR + 1, -61.0])
    def test_what_is_too_old_or_from_a_wrong_clock_starts_again(self, store: Store, later: float) -> None:
        fail(store, "account:a")
        fail(store, "account:a")
        fail(store, "account:a", now=NOW + later)
        assert store.read(["account:a"])["account:a"].count == 1

    def test_what_is_as_it_was_is_replaced(self, store: Store) -> None:
        fail(store, "account:a")
        seen, new = store.read(["account:a"])["account:a"], Failures(count=9, last=NOW + 7)
        assert store.replace("account:a", seen, new)
        assert store.read(["account:a"]) == {"account:a": new}

    def test_what_has_changed_is_not_replaced(self, store: Store) -> None:
        fail(store, "account:a")
        seen = store.read(["account:a"])["account:a"]
        fail(store, "account:a")
        assert not store.replace("account:a", seen, Failures(count=9, last=NOW))
        assert not store.replace("account:b", seen, Failures(count=9, last=NOW))
        assert store.read(["account:a"])["account:a"].count == 2

    def test_what_is_cleared_is_forgotten(self, store: Store) -> None:
        fail(store, "account:a", "account:b")
        store.clear(["account:a"])
        assert list(store.read(["account:a", "account:b"])) == ["account:b"]

    def test_the_last_login_of_a_pair_is_remembered(self, store: Store) -> None:
        assert store.last_login("known:a") is None
        store.remember("known:a", now=NOW)
        store.remember("known:a", now=NOW + 1.5)
        store.remember("known:b", now=NOW)
        assert store.last_login("known:a") == NOW + 1.5


class TestInMemory(StoreContract):
    @pytest.fixture
    def store(self) -> Store:
        return MemoryLoginFailures()


class TestOnSql(StoreContract):
    @pytest.fixture
    def store(self, on_sql: SqlLoginFailures) -> Store:
        return on_sql


def test_failures_of_many_at_once_are_all_counted(on_sql: SqlLoginFailures) -> None:
    threads = [
        threading.Thread(target=fail, args=(on_sql, *pair))
        for pair in [("account:a", "address:x"), ("address:x", "account:a")] * 10
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {failures.count for failures in on_sql.read(["account:a", "address:x"]).values()} == {20}


def test_of_many_who_replace_the_same_one_succeeds(on_sql: SqlLoginFailures) -> None:
    fail(on_sql, "account:a")
    seen, won = on_sql.read(["account:a"])["account:a"], []

    def try_it(number: int) -> None:
        won.append(on_sql.replace("account:a", seen, Failures(count=2, last=NOW + number)))

    threads = [threading.Thread(target=try_it, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False] * 7 + [True]


def test_what_no_longer_counts_is_removed_now_and_then(on_sql: SqlLoginFailures) -> None:
    fail(on_sql, "account:a")
    fail(on_sql, "account:b", now=NOW + HOUR + PRUNE_EVERY_SECONDS)
    assert list(on_sql.read(["account:a", "account:b"])) == ["account:b"]


def test_a_home_is_forgotten_when_it_is_one_no_longer(on_sql: SqlLoginFailures) -> None:
    on_sql.remember("known:a", now=NOW - KNOWN_FOR_SECONDS - 1)
    on_sql.remember("known:b", now=NOW - KNOWN_FOR_SECONDS + 1)
    fail(on_sql, "account:a")
    assert on_sql.last_login("known:a") is None
    assert on_sql.last_login("known:b") is not None


def test_a_database_that_cannot_be_reached_is_identity_unavailable() -> None:
    store = SqlLoginFailures(Database("postgresql://nobody@127.0.0.1:1/none"))
    with pytest.raises(IdentityUnavailable):
        store.read(["account:a"])
    with pytest.raises(IdentityUnavailable):
        fail(store, "account:a")
