"""The shared buckets on Redis: all of a worker's asks of a turn are one script call, which is one step for everybody."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from serving.adapters.guarded_redis import GuardedRedis, RedisDown
from serving.limits.quota import Ask, Grant, QuotaDown, Turn

SINCE_KEY = b"slipway:limits:since"
WORKERS_KEY = b"slipway:limits:workers"
BUCKET_PREFIX = b"slipway:limit:"

# Redis's own clock counts. `b` is what is left in a bucket and `t` when that was so; `n` what workers hold as leases, as
# counted in epoch `e`, and `p` as counted in the one before: a worker that died is not counted in the next.
# A worker that comes back after having been `away` filled its share by itself: the bucket does not fill for that time, has
# no more than it could hold besides, and until the others are back (`q`) fills with nobody's share but that one.
# A bucket that is not there is full, unless Redis itself remembers less than it would take to fill one: then it has lost
# its data, and what was in it is not known: nothing, or a debt of all workers' credit.
SCRIPT = """
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
redis.call('SET', KEYS[1], string.format('%.6f', now), 'NX')
local since = redis.call('GET', KEYS[1])
local number = math.floor(now)
local epoch = since .. ':' .. number
redis.call('ZADD', KEYS[2], number, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', number - 4)
redis.call('EXPIRE', KEYS[2], 60)
local workers = redis.call('ZCARD', KEYS[2])
local answer = {workers, epoch}
for i = 3, #KEYS do
  local at = (i - 3) * 9 + 1
  local rate, burst, share = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local held, keep, back = tonumber(ARGV[at + 4]), tonumber(ARGV[at + 5]), tonumber(ARGV[at + 6])
  local want, away, fresh = tonumber(ARGV[at + 7]), tonumber(ARGV[at + 8]), ARGV[at + 9] ~= epoch
  local kept = redis.call('HMGET', KEYS[i], 'b', 't', 'e', 'n', 'p', 'q')
  local b, t = tonumber(kept[1]), tonumber(kept[2])
  local e, n, p = tonumber(kept[3] or -1), tonumber(kept[4] or 0), tonumber(kept[5] or 0)
  if not b then b, t = math.min(burst, rate * math.max(0, now - tonumber(since)) - burst / 10), now end
  if e ~= number then p, n = (e == number - 1) and n or 0, 0 end
  local q = tonumber(kept[6] or 0)
  local passed = math.max(0, now - t - away)
  local slow = math.min(passed, math.max(0, math.min(q, now) - t))
  b = math.min(math.max(b, burst - math.max(p, n)), b + rate * (passed - slow + slow * share))
  if away > 0 then b, q = math.min(b, math.max(0, burst - rate * away)), now + 2 end
  b = math.min(burst, b + back)
  n = math.max(0, n + keep - (fresh and 0 or held))
  local give = 0
  if want > 0 and b >= 1 then
    local part = workers > 1 and math.max(1, math.floor(b / 2)) or math.floor(b)
    give = math.min(want, part)
  end
  b, n = b - give, n + give
  redis.call('HSET', KEYS[i], 'b', string.format('%.6f', b), 't', string.format('%.6f', now),
    'e', number, 'n', string.format('%.6f', n), 'p', string.format('%.6f', p), 'q', string.format('%.6f', q))
  redis.call('EXPIRE', KEYS[i], math.min(604800, math.ceil((burst - b) / rate) + 60))
  answer[#answer + 1] = give
  answer[#answer + 1] = string.format('%.6f', b)
end
return answer
"""


def _unheard(state: float) -> None:
    """The breaker's state shows in `slipway_rate_leases_total`."""


class RedisQuota:
    """Implements `QuotaStore` for the worker that is known as `worker`."""

    def __init__(self, redis: GuardedRedis, *, worker: str) -> None:
        self._redis, self._worker = redis, worker
        self._script: Any = redis.commands.register_script(SCRIPT)

    @classmethod
    def at(cls, url: str, *, worker: str, timeout_seconds: float, mounted: Path | None = None) -> RedisQuota:
        """With connections and a breaker of its own: what the cache does to its own is not our affair."""
        redis = GuardedRedis(
            url, purpose="limits", timeout_seconds=timeout_seconds, on_breaker=_unheard, mounted=mounted
        )
        return cls(redis, worker=worker)

    async def turn(self, asks: Sequence[Ask]) -> Turn:
        keys = [SINCE_KEY, WORKERS_KEY, *(BUCKET_PREFIX + ask.key for ask in asks)]
        arguments: list[Any] = [self._worker]
        for ask in asks:
            arguments += ask[1:]
        try:
            workers, epoch, *grants = await self._redis.call(self._script(keys, arguments))
        except RedisDown as down:
            raise QuotaDown from down
        pairs = zip(grants[::2], grants[1::2], strict=True)
        return Turn([Grant(float(given), float(left)) for given, left in pairs], int(workers), epoch)

    async def leave(self) -> None:
        try:
            await self._redis.call(self._redis.commands.zrem(WORKERS_KEY, self._worker))
        except RedisDown:
            pass  # it is forgotten in a few seconds anyhow
        await self._redis.close()
