"""Calls to Redis that cannot hurt a request: a hard budget per call, no retries, and a breaker.

redis-py's defaults block a call for 58 s against a stopped server; here a call has `timeout_seconds`, and after three
failures in a row Redis is left alone for a second at a time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

FAILURES_TO_OPEN = 3
OPEN_SECONDS = 1.0
MAX_CONNECTIONS = 16


class RedisDown(Exception):
    """The call failed, or was not made (`bypassed`) because the ones before it did."""

    def __init__(self, *, bypassed: bool) -> None:
        super().__init__()
        self.bypassed = bypassed


class GuardedRedis:
    """`commands` makes a command, `call` runs it. `on_breaker` hears 1 when the breaker opens and 0 when a call works.

    `mounted` is the file that the URL came from, if any: new connections take their credentials from there.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_seconds: float,
        on_breaker: Callable[[float], None],
        mounted: Path | None = None,
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
        if mounted is not None:
            from serving.adapters.redis_credentials import follow_credentials

            follow_credentials(pool, url, mounted)
        self.commands = Redis(connection_pool=pool, retry=Retry(NoBackoff(), 0))
        self._timeout, self._on_breaker, self._clock = timeout_seconds, on_breaker, clock
        self._failures = 0
        self._closed_until = 0.0

    async def call(self, command: Any) -> Any:
        """Raises RedisDown, whatever Redis or its client does."""
        cancels = _cancels()
        if self._clock() < self._closed_until:
            command.close()
            raise RedisDown(bypassed=True)
        try:
            async with asyncio.timeout(self._timeout):
                answer = await command
        except Exception as error:
            _still_wanted(cancels)
            self._failed()
            raise RedisDown(bypassed=False) from error
        _still_wanted(cancels)
        self._failures = 0
        self._on_breaker(0)
        return answer

    async def close(self) -> None:
        await self.commands.aclose(close_connection_pool=True)

    def _failed(self) -> None:
        self._failures += 1
        if self._failures >= FAILURES_TO_OPEN:
            self._closed_until = self._clock() + OPEN_SECONDS
            self._on_breaker(1)


def _cancels() -> int:
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


def _still_wanted(cancels: int) -> None:
    """redis-py's own time-outs may swallow a cancellation that comes with them; whoever was cancelled would go on."""
    if _cancels() > cancels:
        raise asyncio.CancelledError
