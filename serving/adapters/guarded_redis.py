"""Calls to Redis that cannot hurt a request: a hard budget per call, no retries, and a breaker.

redis-py's defaults block a call for 58 s against a stopped server; here a call has `timeout_seconds`, and once one has
failed nobody waits for Redis again before it has answered a question that nobody waits for (`redis_breaker`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog

from serving.adapters.redis_breaker import Breaker
from serving.seldom import Seldom

MAX_CONNECTIONS = 16
CONNECT_SECONDS = 1.0


class RedisDown(Exception):
    """The call failed, or was not made (`bypassed`) because Redis is left alone."""

    def __init__(self, *, bypassed: bool) -> None:
        super().__init__()
        self.bypassed = bypassed


class GuardedRedis:
    """`commands` makes a command, `call` runs it. `on_breaker` hears 1 when Redis is left alone and 0 when it is back.

    `purpose` says in the log what Redis is asked for. `mounted` is the file that the URL came from, if any: new connections
    take their credentials from there.
    """

    def __init__(
        self,
        url: str,
        *,
        purpose: str,
        timeout_seconds: float,
        on_breaker: Callable[[float], None],
        mounted: Path | None = None,
    ) -> None:
        from redis.asyncio import Redis
        from redis.exceptions import ResponseError

        self._refusal = ResponseError
        self.commands = Redis(connection_pool=_pool(url, timeout_seconds, mounted), retry=_never())
        self.timeout_seconds = timeout_seconds
        self._purpose, self._seldom = purpose, Seldom()
        self._breaker = Breaker(self._ping, on_breaker, purpose=purpose)
        self._log = structlog.get_logger("slipway.service")

    async def call(self, command: Any, *, seconds: float | None = None) -> Any:
        """Raises RedisDown, whatever Redis or its client does, after at most `seconds` or the budget."""
        if self._breaker.open:
            command.close()
            raise RedisDown(bypassed=True)
        cancels = _cancels()
        try:
            async with asyncio.timeout(seconds or self.timeout_seconds):
                answer = await command
        except self._refusal as error:  # it lives, and will not: no memory, no permission
            self._refused(error)
            raise RedisDown(bypassed=False) from error
        except Exception as error:
            _still_wanted(cancels)
            self._breaker.failed(error)
            raise RedisDown(bypassed=False) from error
        _still_wanted(cancels)
        self._breaker.worked()
        return answer

    async def close(self) -> None:
        await self._breaker.close()
        await self.commands.aclose(close_connection_pool=True)

    async def _ping(self) -> None:
        """Once for the sake of a connection, which nobody waits for, and then as quickly as a call must be."""
        cancels = _cancels()
        try:
            for seconds in (max(CONNECT_SECONDS, self.timeout_seconds), self.timeout_seconds):
                async with asyncio.timeout(seconds):
                    await self.commands.ping()
        finally:
            _still_wanted(cancels)

    def _refused(self, error: Exception) -> None:
        if self._seldom.due():
            self._log.warning("redis refuses", purpose=self._purpose, reason=type(error).__name__)


def _pool(url: str, timeout_seconds: float, mounted: Path | None) -> Any:
    from redis.asyncio import BlockingConnectionPool

    pool: Any = BlockingConnectionPool.from_url(
        url,
        max_connections=MAX_CONNECTIONS,
        timeout=timeout_seconds,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        retry=_never(),
    )
    if mounted is not None:
        from serving.adapters.redis_credentials import follow_credentials

        follow_credentials(pool, url, mounted)
    return pool


def _never() -> Any:
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    return Retry(NoBackoff(), 0)


def _cancels() -> int:
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


def _still_wanted(cancels: int) -> None:
    """redis-py's own time-outs may swallow a cancellation that comes with them; whoever was cancelled would go on."""
    if _cancels() > cancels:
        raise asyncio.CancelledError
