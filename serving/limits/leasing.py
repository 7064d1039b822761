"""The errand that shares the buckets over all workers: it tells the store what was spent, and leases what comes next."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from serving.identity_metrics import IdentityMetrics
from serving.limits.bucket import Bucket, Sent
from serving.limits.limiter import MAX_BUCKETS, RateLimits
from serving.limits.quota import QuotaDown, QuotaStore, Turn

TURN_SECONDS = 0.05  # while buckets are in use
IDLE_TURN_SECONDS = 0.5  # otherwise: to be counted as a worker, and to see a changed policy
LEAST_GAP_SECONDS = 0.005
SWEEP_SECONDS = 10.0
MAX_ASKS = 256

Opened = Callable[[], Awaitable[QuotaStore]]


class Leasing:
    """`open_store` is asked for the store when a limit holds for the first time; None where there is none."""

    def __init__(self, limits: RateLimits, metrics: IdentityMetrics, open_store: Opened | None) -> None:
        self._limits, self._metrics, self._open_store = limits, metrics, open_store
        self._store: QuotaStore | None = None
        self._woken = asyncio.Event()
        self._next_sweep = 0.0
        limits.shares = open_store is not None
        limits.sharing.wake = self._woken.set

    async def run(self) -> None:
        """Runs until cancelled."""
        while True:
            self._tend()
            self._woken.clear()
            await self.step()
            busy = self._limits.used and self._limits.sharing.attached
            await self._pause(TURN_SECONDS if busy else IDLE_TURN_SECONDS)

    async def step(self) -> None:
        """One exchange with the store, if there is one, about everything that was used since the last."""
        if self._open_store is None or not self._limits.on:
            return
        if self._store is None:
            self._store = await self._open_store()
        await self._turn(self._store)

    async def _turn(self, store: QuotaStore) -> None:
        limits = self._limits
        used, limits.used = limits.used, []
        for bucket in used:
            bucket.listed = False
        while True:
            some, used, now = used[:MAX_ASKS], used[MAX_ASKS:], limits.clock()
            told = [(bucket, bucket.report(now)) for bucket in some] if limits.sharing.attached else []
            if not await self._exchange(store, told):
                self._again([*some, *used])
                return limits.detach()
            self._again([bucket for bucket in some if bucket.busy])
            if not used:
                return

    async def close(self) -> None:
        """Gives every lease back."""
        if self._store is None:
            return
        if self._limits.sharing.attached:
            now = self._limits.clock()
            told = [(bucket, bucket.report(now, leaving=True)) for bucket in self._limits.used[:MAX_ASKS]]
            await self._exchange(self._store, told)
        await self._store.leave()

    async def _exchange(self, store: QuotaStore, told: list[tuple[Bucket, Sent]]) -> bool:
        try:
            turn: Turn = await store.turn([sent.ask for _, sent in told])
        except QuotaDown:
            for bucket, sent in told:
                bucket.unanswered(sent)
            self._metrics.rate_leased("error")
            return False
        now = self._limits.clock()
        for (bucket, sent), grant in zip(told, turn.grants, strict=True):
            bucket.answered(sent, grant, turn.epoch, now)
        self._limits.attach(turn.workers)
        self._metrics.rate_leased("ok")
        return True

    def _again(self, buckets: list[Bucket]) -> None:
        """They are to be told of in the next turn, within bounds: a store that is away hears of nobody."""
        for bucket in buckets[: MAX_BUCKETS - len(self._limits.used)]:
            if not bucket.listed:
                bucket.listed = True
                self._limits.used.append(bucket)

    def _tend(self) -> None:
        self._limits.follow_rates()
        if time.monotonic() >= self._next_sweep:
            self._next_sweep = time.monotonic() + SWEEP_SECONDS
            self._limits.forget_idle()

    async def _pause(self, seconds: float) -> None:
        """Shorter when a lease runs out."""
        await asyncio.sleep(LEAST_GAP_SECONDS)
        try:
            async with asyncio.timeout(seconds - LEAST_GAP_SECONDS):
                await self._woken.wait()
        except TimeoutError:
            pass
