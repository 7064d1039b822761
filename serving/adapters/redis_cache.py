"""The shared cache tier on Redis: one command a turn, a hard budget per call, no retries, and a breaker.

redis-py's defaults block a call for 58 s against a stopped server; here a call has `timeout_seconds`, and after three
failures in a row Redis is left alone for a second at a time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from serving.metrics import Metrics

KEY_PREFIX = b"slipway:answer:"
FAILURES_TO_OPEN = 3
OPEN_SECONDS = 1.0
MAX_CONNECTIONS = 16
# One command for many keys with a time to live; MSET has none.
SET_MANY = "for i = 1, #KEYS do redis.call('SET', KEYS[i], ARGV[i + 1], 'EX', ARGV[1]) end return #KEYS"

T = TypeVar("T")


class RedisCache:
    """Implements `RemoteCache`. Never raises; failures are counted and read as misses."""

    def __init__(
        self,
        url: str,
        metrics: Metrics,
        *,
        timeout_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        from redis.asyncio import BlockingConnectionPool, Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        pool: Any = BlockingConnectionPool.from_url(
            url,
            max_connections=MAX_CONNECTIONS,
            timeout=timeout_seconds,
            socket_timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            retry=Retry(NoBackoff(), 0),
        )
        self._redis = Redis(connection_pool=pool, retry=Retry(NoBackoff(), 0))
        self._metrics, self._timeout, self._clock = metrics, timeout_seconds, clock
        self._failures = 0
        self._closed_until = 0.0

    async def get_many(self, keys: Sequence[bytes]) -> Sequence[bytes | None]:
        answer = await self._call(len(keys), self._redis.mget([KEY_PREFIX + key for key in keys]))
        return answer if answer is not None else [None] * len(keys)

    async def set_many(self, entries: Mapping[bytes, bytes], *, ttl_seconds: int) -> None:
        keys = [KEY_PREFIX + key for key in entries]
        command = self._redis.eval(SET_MANY, len(keys), *keys, str(ttl_seconds), *entries.values())
        await self._call(len(keys), command)

    async def close(self) -> None:
        await self._redis.aclose(close_connection_pool=True)

    async def _call(self, count: int, command: Any) -> Any:
        if self._clock() < self._closed_until:
            command.close()
            self._metrics.cache_asked("*", "redis", "bypass", count)
            return None
        try:
            answer = await self._within_budget(command)
        except Exception:  # whatever Redis or its client does, a prediction goes on
            self._failed(count)
            return None
        self._failures = 0
        self._metrics.breaker_open.set(0)
        return answer

    async def _within_budget(self, command: Awaitable[T]) -> T:
        async with asyncio.timeout(self._timeout):
            return await command

    def _failed(self, count: int) -> None:
        self._metrics.cache_asked("*", "redis", "error", count)
        self._failures += 1
        if self._failures >= FAILURES_TO_OPEN:
            self._closed_until = self._clock() + OPEN_SECONDS
            self._metrics.breaker_open.set(1)
