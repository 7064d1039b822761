"""The shared cache tier on Redis: one command a turn, each within a hard budget."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from serving.adapters.guarded_redis import GuardedRedis, RedisDown
from serving.metrics import Metrics

KEY_PREFIX = b"slipway:answer:"
# One command for many keys with a time to live; MSET has none.
SET_MANY = "for i = 1, #KEYS do redis.call('SET', KEYS[i], ARGV[i + 1], 'EX', ARGV[1]) end return #KEYS"


class RedisCache:
    """Implements `RemoteCache`. Never raises; failures are counted and read as misses."""

    def __init__(
        self,
        url: str,
        metrics: Metrics,
        *,
        timeout_seconds: float,
        mounted: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis = GuardedRedis(
            url,
            timeout_seconds=timeout_seconds,
            on_breaker=metrics.breaker_open.set,
            mounted=mounted,
            clock=clock,
        )
        self._metrics = metrics

    async def get_many(self, keys: Sequence[bytes]) -> Sequence[bytes | None]:
        command = self._redis.commands.mget([KEY_PREFIX + key for key in keys])
        answer = await self._call(len(keys), command)
        return answer if answer is not None else [None] * len(keys)

    async def set_many(self, entries: Mapping[bytes, bytes], *, ttl_seconds: int) -> None:
        keys = [KEY_PREFIX + key for key in entries]
        command = self._redis.commands.eval(SET_MANY, len(keys), *keys, str(ttl_seconds), *entries.values())
        await self._call(len(keys), command)

    async def close(self) -> None:
        await self._redis.close()

    async def _call(self, count: int, command: Any) -> Any:
        try:
            return await self._redis.call(command)
        except RedisDown as down:
            self._metrics.cache_asked("*", "redis", "bypass" if down.bypassed else "error", count)
            return None
