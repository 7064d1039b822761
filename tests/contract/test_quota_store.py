"""QuotaStore: what Redis does and what the tests' fake does are the same."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from redis import Redis

from serving.adapters.redis_quota import BUCKET_PREFIX, SINCE_KEY, WORKERS_KEY, RedisQuota
from serving.limits.quota import Ask, QuotaStore
from tests.fakes.quota_store import MemoryQuotaStore, QuotaHall

Stores = Callable[[str], QuotaStore]
Scenario = Callable[[Stores], Coroutine[Any, Any, None]]
Run = Callable[[Scenario], None]

SLOW = 1e-6  # tokens a second: nothing flows in during a test


@pytest.fixture(params=["memory", "redis"])
def run(request: pytest.FixtureRequest) -> Run:
    """Runs a scenario with stores of each kind, which remember more than it takes to fill any bucket."""
    kind, url = request.param, request.getfixturevalue("redis_url") if request.param == "redis" else ""

    async def scene(scenario: Scenario) -> None:
        hall, opened = QuotaHall(time.time, since=0.0), []

        def store(worker: str) -> QuotaStore:
            made: QuotaStore = (
                RedisQuota.at(url, worker=worker, timeout_seconds=5.0)
                if kind == "redis"
                else MemoryQuotaStore(hall, worker)
            )
            opened.append(made)
            return made

        await scenario(store)
        for each in opened:
            await each.leave()

    if kind == "redis":
        with Redis.from_url(url) as client:
            client.set(SINCE_KEY, "0.0")
            client.delete(WORKERS_KEY)
    return lambda scenario: asyncio.run(scene(scenario))


def ask(key: bytes, *, burst: float = 1000.0, want: float = 0.0, back: float = 0.0, **more: Any) -> Ask:
    said = {"held": 0.0, "keep": 0.0, "away": 0.0, "epoch": b"", "share": 0.25, **more}
    return Ask(
        key=key, per_second=1000.0 if burst >= 1000 else SLOW, burst=burst, want=want, back=back, **said
    )


def new_key() -> bytes:
    """One that nobody used before."""
    return uuid.uuid4().bytes


def full(key: bytes, burst: float) -> Ask:
    """Makes a bucket that is full although little flows into it: it was first seen by a faster limit."""
    return Ask(key, 1e9, burst, 0.25, 0.0, 0.0, 0.0, 0.0, 0.0, b"")


def test_one_worker_alone_gets_what_it_wants_until_nothing_is_left(run: Run) -> None:
    key = new_key()

    async def scenario(store: Stores) -> None:
        one = store("one")
        await one.turn([full(key, 100)])
        (first,), workers, epoch = await one.turn([ask(key, burst=100, want=60)])
        assert (first.tokens, round(first.left), workers) == (60, 40, 1)
        spent = ask(key, burst=100, want=60, held=60, keep=0, epoch=epoch)
        (second,), _, _ = await one.turn([spent])
        assert (second.tokens, round(second.left)) == (40, 0)
        (third,), _, _ = await one.turn([ask(key, burst=100, want=60)])
        assert (third.tokens, round(third.left)) == (0, 0)

    run(scenario)


def test_of_several_workers_none_gets_more_than_half_of_what_is_left(run: Run) -> None:
    key = new_key()

    async def scenario(store: Stores) -> None:
        one, two = store("one"), store("two")
        await one.turn([full(key, 100)])
        await two.turn([])
        (mine,), workers, _ = await one.turn([ask(key, burst=100, want=80)])
        (theirs,), _, _ = await two.turn([ask(key, burst=100, want=80)])
        assert (mine.tokens, theirs.tokens, workers) == (50, 25, 2)

    run(scenario)


def test_what_is_returned_is_there_for_others_and_debt_has_to_be_paid_first(run: Run) -> None:
    key = new_key()

    async def scenario(store: Stores) -> None:
        one = store("one")
        await one.turn([full(key, 100)])
        _, _, epoch = await one.turn([ask(key, burst=100, want=100)])
        (back,), _, epoch = await one.turn([ask(key, burst=100, back=70, held=100, epoch=epoch)])
        assert round(back.left) == 70
        (debt,), _, _ = await one.turn([ask(key, burst=100, back=-90, want=5, epoch=epoch)])
        assert (debt.tokens, round(debt.left)) == (0, -20)

    run(scenario)


def test_a_bucket_and_its_leases_never_hold_more_than_the_burst(run: Run) -> None:
    key = new_key()

    async def scenario(store: Stores) -> None:
        one = store("one")
        (first,), _, epoch = await one.turn([ask(key, want=400)])
        await asyncio.sleep(0.6)  # 600 tokens would have flowed in
        (second,), _, _ = await one.turn([ask(key, held=400, keep=400, epoch=epoch)])
        assert (first.tokens, round(second.left)) == (400, 600)

    run(scenario)


def test_one_call_answers_for_many_buckets_in_their_order(run: Run) -> None:
    keys = [new_key() for _ in range(5)]

    async def scenario(store: Stores) -> None:
        one = store("one")
        await one.turn([full(key, 10 * place + 10) for place, key in enumerate(keys)])
        asks = [ask(key, burst=10 * place + 10, want=100) for place, key in enumerate(keys)]
        grants, _, _ = await one.turn(asks)
        assert [grant.tokens for grant in grants] == [10, 20, 30, 40, 50]

    run(scenario)


def test_a_worker_that_was_away_keeps_its_own_share_and_the_bucket_starts_from_nothing(run: Run) -> None:
    key = new_key()

    async def scenario(store: Stores) -> None:
        one = store("one")
        await one.turn([ask(key)])
        (back,), _, _ = await one.turn([ask(key, keep=200.0, away=30.0)])
        assert (back.tokens, round(back.left)) == (0, 0)
        await asyncio.sleep(0.2)  # a quarter of 200, while the others may still fill theirs
        (later,), _, _ = await one.turn([ask(key)])
        assert 25 < later.left < 150

    run(scenario)


def test_a_worker_that_leaves_is_not_counted_any_more(run: Run) -> None:
    async def scenario(store: Stores) -> None:
        one, two = store("one"), store("two")
        await two.turn([])
        assert (await one.turn([])).workers == 2
        await two.leave()
        assert (await one.turn([])).workers == 1

    run(scenario)


def test_after_redis_lost_its_data_buckets_start_empty(redis_url: str) -> None:
    key = new_key()

    async def scenario() -> None:
        store = RedisQuota.at(redis_url, worker="one", timeout_seconds=5.0)
        (grant,), _, _ = await store.turn([ask(key, want=1000)])
        assert grant.tokens < 500
        await store.leave()

    with Redis.from_url(redis_url) as client:
        client.delete(SINCE_KEY, WORKERS_KEY)
        asyncio.run(scenario())
        assert 60 <= client.ttl(BUCKET_PREFIX + key) <= 62
