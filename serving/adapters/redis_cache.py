"""The shared cache tier on Redis: one command a turn, each within a budget, and a look-up only as long as it is worth it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from serving.adapters.guarded_redis import GuardedRedis, RedisDown
from serving.adapters.patience import Patience
from serving.metrics import Metrics

KEY_PREFIX = b"slipway:answer:"
# One command for many keys with a time to live; MSET has none.
SET_MANY = "for i = 1, #KEYS do redis.call('SET', KEYS[i], ARGV[i + 1], 'EX', ARGV[1]) end return #KEYS"


class RedisCache:
    """Implements `RemoteCache`. Never raises; failures are counted and read as misses."""

    def __init__(
        self, url: str, metrics: Metrics, *, timeout_seconds: float, mounted: Path | None = None
    ) -> None:
        self._redis = GuardedRedis(
            url,
            purpose="cache",
            timeout_seconds=timeout_seconds,
            on_breaker=metrics.breaker_open.set,
            mounted=mounted,
        )
        self._patience = Patience(timeout_seconds)
        self._metrics = metrics

    async def get_many(self, keys: Sequence[bytes]) -> Sequence[bytes | None]:
        command = self._redis.commands.mget([KEY_PREFIX + key for key in keys])
        begin = time.perf_counter()
        try:
            answer: Sequence[bytes | None] = await self._redis.call(command, seconds=self._patience.seconds)
        except RedisDown as down:
            if not down.bypassed:
                self._patience.took(time.perf_counter() - begin)
            self._failed(down, len(keys))
            return [None] * len(keys)
        self._patience.took(time.perf_counter() - begin)
        return answer

    async def set_many(self, entries: Mapping[bytes, bytes], *, ttl_seconds: int) -> None:
        keys = [KEY_PREFIX + key for key in entries]
        command: Any = self._redis.commands.eval(
            SET_MANY, len(keys), *keys, str(ttl_seconds), *entries.values()
        )
        try:
            await self._redis.call(command)
        except RedisDown as down:
            self._failed(down, len(keys))

    async def close(self) -> None:
        await self._redis.close()

    def _failed(self, down: RedisDown, count: int) -> None:
        self._metrics.cache_asked("*", "redis", "bypass" if down.bypassed else "error", count)
