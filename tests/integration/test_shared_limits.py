"""Limits that several workers share over a real Redis, which stops, comes back empty, and hangs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from redis import Redis

from auth.policy import Rate
from modelkit.errors import RateLimited
from serving.adapters.redis_quota import SINCE_KEY, RedisQuota
from serving.identity_metrics import IdentityMetrics
from serving.limits.leasing import Leasing
from serving.limits.limiter import RateLimits
from serving.limits.quota import QuotaStore
from serving.limits.sharing import Sharing
from tests.rate_workers import FixedRates
from tests.redis_server import RedisServer

WORKERS = 4
LIMIT = Rate(per_second=20.0, burst=100.0)
PATIENCE_SECONDS = 20.0


Play = Callable[[Callable[["Crew"], Coroutine[Any, Any, None]]], None]


class Crew:
    """Workers with an errand each, as in their processes. Counts what is admitted, and since when."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.limits = [self._limits() for _ in range(WORKERS)]
        metrics = [IdentityMetrics(CollectorRegistry()) for _ in range(WORKERS)]
        self._leasings = [
            Leasing(limits, told, self._opener(number))
            for number, (limits, told) in enumerate(zip(self.limits, metrics, strict=True))
        ]
        self._tasks: list[asyncio.Task[None]] = []
        self.admitted, self.since = 0, time.monotonic()

    def _limits(self) -> RateLimits:
        sharing = Sharing(divisor=WORKERS, since=time.monotonic())
        return RateLimits(FixedRates(LIMIT), IdentityMetrics(CollectorRegistry()), sharing)

    def _opener(self, number: int) -> Callable[[], Awaitable[QuotaStore]]:
        async def opened() -> QuotaStore:
            return RedisQuota.at(self._url, worker=f"worker-{number}", timeout_seconds=0.5)

        return opened

    async def start(self) -> None:
        self._tasks = [asyncio.create_task(leasing.run()) for leasing in self._leasings]
        await self.until(lambda: all(limits.sharing.workers == WORKERS for limits in self.limits))

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for leasing in self._leasings:
            await leasing.close()

    def attached(self) -> bool:
        return all(limits.sharing.attached for limits in self.limits)

    def alone(self) -> bool:
        return not any(limits.sharing.attached for limits in self.limits)

    async def until(self, reached: Callable[[], bool]) -> None:
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while not reached():
            assert time.monotonic() < give_up_at
            await asyncio.sleep(0.01)

    async def ask(self, *, until: Callable[[], bool]) -> None:
        """All workers, far more often than allowed."""
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while not until():
            assert time.monotonic() < give_up_at
            for limits in self.limits:
                for _ in range(5):
                    self.admitted += admits(limits)
            await asyncio.sleep(0.01)

    def begin(self) -> None:
        self.admitted, self.since = 0, time.monotonic()

    @property
    def most(self) -> float:
        """What may have been admitted by now."""
        return 1.1 * LIMIT.burst + LIMIT.per_second * (time.monotonic() - self.since)


def admits(limits: RateLimits) -> bool:
    try:
        limits.admit("ada", "iris")
    except RateLimited:
        return False
    return True


@pytest.fixture
def play(redis_server: RedisServer) -> Play:
    """Plays a scene with a crew whose Redis has been there for as long as it takes to fill a bucket."""

    async def scene(played: Callable[[Crew], Coroutine[Any, Any, None]]) -> None:
        crew = Crew(redis_server.url)
        await crew.start()
        aged(redis_server)
        try:
            await played(crew)
        finally:
            await crew.stop()

    return lambda played: asyncio.run(scene(played))


def aged(server: RedisServer) -> None:
    with Redis.from_url(server.url) as client:
        client.set(SINCE_KEY, "1000.0")


def test_all_workers_together_admit_the_limit_and_hardly_more(play: Play) -> None:
    async def scene(crew: Crew) -> None:
        crew.begin()
        await crew.ask(until=lambda: time.monotonic() > crew.since + 1.5)
        assert crew.admitted <= crew.most
        assert crew.admitted >= LIMIT.burst

    play(scene)


def test_redis_stops_and_comes_back_empty_and_nobody_gets_a_second_burst(
    play: Play, redis_server: RedisServer
) -> None:
    async def scene(crew: Crew) -> None:
        crew.begin()
        await crew.ask(until=lambda: crew.admitted >= LIMIT.burst)
        redis_server.stop()
        await crew.ask(until=crew.alone)
        apart = crew.admitted
        await crew.ask(until=lambda: crew.admitted >= apart + 8)
        redis_server.start()
        await crew.ask(until=crew.attached)
        together = crew.admitted
        await crew.ask(until=lambda: crew.admitted >= together + 8)
        assert crew.admitted <= crew.most

    play(scene)


def test_a_redis_that_hangs_holds_up_nobody_and_gives_nobody_more(
    play: Play, redis_server: RedisServer
) -> None:
    async def scene(crew: Crew) -> None:
        crew.begin()
        await crew.ask(until=lambda: crew.admitted >= LIMIT.burst)
        redis_server.pause()
        await crew.ask(until=crew.alone)
        redis_server.resume()
        await crew.ask(until=crew.attached)
        together = crew.admitted
        await crew.ask(until=lambda: crew.admitted >= together + 8)
        assert crew.admitted <= crew.most

    play(scene)
