"""Features from Redis: all look-ups of an event-loop turn as one command, and what was seen last while Redis is down."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence

import msgspec
import structlog

from modelkit.redis_features import META_FIELD, row_field, set_name
from modelkit.view_rows import FeatureSetMeta, Numbers, ViewRows
from serving.adapters.guarded_redis import GuardedRedis, RedisDown
from serving.coalesce import Coalescer
from serving.ports import LookedUp
from serving.seldom import Seldom

MAX_KEYS_PER_CALL = 256
LAST_SEEN_ROWS = 50_000
LOOK_SECONDS = 1.0

UNAVAILABLE = LookedUp(None, "unavailable")
UNKNOWN = LookedUp(None, "unknown")


class RedisFeatures:
    """Implements `FeatureSource`. What Redis says is believed only where it is a row of this view."""

    kind = "redis"

    def __init__(
        self,
        rows: ViewRows,
        redis: GuardedRedis,
        *,
        last_seen_rows: int = LAST_SEEN_ROWS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rows, self._redis, self._clock = rows, redis, clock
        self._name = set_name(rows.view.name)
        self.meta: FeatureSetMeta | None = None
        self.reason = f"features {rows.view.name}: Redis has not been reached yet"
        self._meta_text: bytes | None = None
        self._last_look = float("-inf")
        self._seen: OrderedDict[str, Numbers] = OrderedDict()
        self._last_seen_rows = last_seen_rows
        self._turns: Coalescer[str, LookedUp] = Coalescer(
            self._ask, max_items=MAX_KEYS_PER_CALL, one_at_a_time=True
        )
        self._log, self._seldom = structlog.get_logger("slipway.service"), Seldom()

    def get_many(self, keys: Sequence[str]) -> Awaitable[Sequence[LookedUp]]:
        return self._gathered([self._turns.submit(key) for key in keys])

    async def tend(self) -> None:
        if self._clock() - self._last_look < LOOK_SECONDS:
            return
        self._last_look = self._clock()
        await self._ask([])

    async def close(self) -> None:
        await self._redis.close()

    async def _gathered(self, answers: list[Awaitable[LookedUp]]) -> list[LookedUp]:
        return [await answer for answer in answers]

    async def _ask(self, keys: list[str]) -> list[LookedUp]:
        fields = [META_FIELD, *map(row_field, keys)]
        try:
            meta, *packed = await self._redis.call(self._redis.commands.hmget(self._name, fields))
        except RedisDown:
            return [self._last_seen(key) for key in keys]
        if not self._fits(meta):
            return [self._last_seen(key) for key in keys]
        return [self._read(key, row) for key, row in zip(keys, packed, strict=True)]

    def _fits(self, text: bytes | None) -> bool:
        """Whether the set there now is one of this view; looked at again only when its description changed."""
        if text is not None and text == self._meta_text:
            return True
        refusal = "nothing is materialised in Redis"
        if text is not None:
            try:
                meta = msgspec.json.decode(text, type=FeatureSetMeta)
                refusal = self._rows.refusal(meta)
            except (msgspec.DecodeError, UnicodeDecodeError):
                refusal = "the description in Redis cannot be read"
        if refusal:
            self._refuse(refusal)
            return False
        self.meta, self._meta_text, self.reason = meta, text, ""
        return True

    def _refuse(self, refusal: str) -> None:
        reason = f"features {self._rows.view.name}: {refusal}"
        if self._meta_text is None and self.reason:
            self.reason = reason
        if self._seldom.due("set"):
            self._log.warning("features refused", view=self._rows.view.name, reason=refusal)

    def _read(self, key: str, packed: bytes | None) -> LookedUp:
        if packed is None:
            self._seen.pop(key, None)
            return UNKNOWN
        try:
            numbers = self._rows.unpack(packed)
        except ValueError as error:
            if self._seldom.due("row"):
                self._log.error("stored features refused", view=self._rows.view.name, reason=str(error))
            return self._last_seen(key)
        self._seen[key] = numbers
        self._seen.move_to_end(key)
        if len(self._seen) > self._last_seen_rows:
            self._seen.popitem(last=False)
        return LookedUp(numbers, "hit")

    def _last_seen(self, key: str) -> LookedUp:
        numbers = self._seen.get(key)
        return UNAVAILABLE if numbers is None else LookedUp(numbers, "stale")
