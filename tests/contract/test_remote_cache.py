"""RemoteCache: what Redis does and what the tests' fake does are the same."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from serving.adapters.redis_cache import RedisCache
from serving.metrics import Metrics
from serving.ports import RemoteCache
from tests.fakes.remote_cache import MemoryRemoteCache

Scenario = Callable[[RemoteCache], Coroutine[Any, Any, None]]
Run = Callable[[Scenario], None]


@pytest.fixture(params=["memory", "redis"])
def run(request: pytest.FixtureRequest) -> Run:
    """Runs a scenario with a cache of each kind, and closes it."""
    url = request.getfixturevalue("redis_url") if request.param == "redis" else ""

    async def scene(scenario: Scenario) -> None:
        cache: RemoteCache = (
            RedisCache(url, Metrics(CollectorRegistry()), timeout_seconds=5.0) if url else MemoryRemoteCache()
        )
        await scenario(cache)
        await cache.close()

    return lambda scenario: asyncio.run(scene(scenario))


def keys(count: int) -> list[bytes]:
    """Keys that nobody used before, as wild as digests are."""
    start = time.time_ns()
    return [b"\x00\xff\r\n*%d" % (start + number) for number in range(count)]


def test_values_are_found_under_their_keys_in_the_order_asked_for(run: Run) -> None:
    first, second, missing = keys(3)

    async def scenario(cache: RemoteCache) -> None:
        await cache.set_many({first: b"1", second: b"\x00\xff\r\n"}, ttl_seconds=60)
        assert list(await cache.get_many([second, missing, first])) == [b"\x00\xff\r\n", None, b"1"]

    run(scenario)


def test_a_key_asked_for_twice_is_answered_twice(run: Run) -> None:
    (key,) = keys(1)

    async def scenario(cache: RemoteCache) -> None:
        await cache.set_many({key: b"1"}, ttl_seconds=60)
        assert list(await cache.get_many([key, key])) == [b"1", b"1"]

    run(scenario)


def test_a_later_write_replaces_an_earlier_one(run: Run) -> None:
    (key,) = keys(1)

    async def scenario(cache: RemoteCache) -> None:
        for value in (b"1", b"2"):
            await cache.set_many({key: value}, ttl_seconds=60)
        assert list(await cache.get_many([key])) == [b"2"]

    run(scenario)


def test_many_keys_travel_together(run: Run) -> None:
    names = keys(256)

    async def scenario(cache: RemoteCache) -> None:
        await cache.set_many({name: name * 20 for name in names}, ttl_seconds=60)
        assert list(await cache.get_many(names)) == [name * 20 for name in names]

    run(scenario)


def test_calls_at_the_same_time_do_not_mix_up_their_answers(run: Run) -> None:
    names = keys(50)

    async def scenario(cache: RemoteCache) -> None:
        await asyncio.gather(*(cache.set_many({name: name}, ttl_seconds=60) for name in names))
        found = await asyncio.gather(*(cache.get_many([name]) for name in names))
        assert [list(values) for values in found] == [[name] for name in names]

    run(scenario)


def test_redis_forgets_a_value_after_its_time_to_live(redis_url: str) -> None:
    from redis import Redis

    (key,) = keys(1)

    async def scenario() -> None:
        cache = RedisCache(redis_url, Metrics(CollectorRegistry()), timeout_seconds=5.0)
        await cache.set_many({key: b"1"}, ttl_seconds=60)
        await cache.close()

    asyncio.run(scenario())
    with Redis.from_url(redis_url) as client:
        assert 0 < client.ttl(b"slipway:answer:" + key) <= 60
