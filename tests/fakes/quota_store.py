"""The store of shared buckets in memory, with a clock of the test's, which can be down or lose what it knows."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from serving.limits.quota import Ask, Grant, QuotaDown, Turn


@dataclass
class Kept:
    left: float
    at: float
    epoch: int = -1
    held: float = 0.0
    held_before: float = 0.0
    slow_until: float = 0.0


def _nothing() -> None:
    """What usually happens while a call is on its way."""


@dataclass
class QuotaHall:
    """What several workers share. `down` makes every call fail; `deaf` lets the call work and its answer get lost.

    `before` and `after` happen while a call is on its way there, and back.
    """

    clock: Callable[[], float]
    buckets: dict[bytes, Kept] = field(default_factory=dict)
    seen: dict[str, float] = field(default_factory=dict)
    since: float = -math.inf
    down: bool = False
    deaf: bool = False
    before: Callable[[], None] = _nothing
    after: Callable[[], None] = _nothing

    def lose_everything(self) -> None:
        self.buckets.clear()
        self.seen.clear()
        self.since = self.clock()


class MemoryQuotaStore:
    """QuotaStore of the worker named `worker`; records its asks."""

    def __init__(self, hall: QuotaHall, worker: str) -> None:
        self._hall, self._worker = hall, worker
        self.turns: list[list[Ask]] = []
        self.left = False

    async def turn(self, asks: Sequence[Ask]) -> Turn:
        await asyncio.sleep(0)
        self._hall.before()
        answer = self._step(asks)
        self._hall.after()
        return answer

    def _step(self, asks: Sequence[Ask]) -> Turn:
        hall = self._hall
        if hall.down:
            raise QuotaDown
        now = hall.clock()
        self.turns.append(list(asks))
        hall.seen[self._worker] = now
        workers = sum(now - at < 5 for at in hall.seen.values())
        epoch = f"{hall.since}:{math.floor(now)}".encode()
        grants = [self._grant(ask, workers, epoch, now) for ask in asks]
        if hall.deaf:
            raise QuotaDown
        return Turn(grants, workers, epoch)

    async def leave(self) -> None:
        self.left = True
        self._hall.seen.pop(self._worker, None)

    def _grant(self, ask: Ask, workers: int, epoch: bytes, now: float) -> Grant:
        rate, burst, number = ask.per_second, ask.burst, math.floor(now)
        kept = self._hall.buckets.get(ask.key)
        if kept is None:
            full = min(burst, rate * (now - self._hall.since) - burst / 10)
            kept = self._hall.buckets[ask.key] = Kept(full, now)
        if kept.epoch != number:
            kept.held_before = kept.held if kept.epoch == number - 1 else 0.0
            kept.held, kept.epoch = 0.0, number
        left = self._filled(kept, ask, now)
        if ask.away > 0:
            left, kept.slow_until = min(left, max(0.0, burst - rate * ask.away)), now + 2
        left = min(burst, left + ask.back)
        held = max(0.0, kept.held + ask.keep - (ask.held if ask.epoch == epoch else 0.0))
        given = 0.0
        if ask.want > 0 and left >= 1:
            given = min(ask.want, max(1, math.floor(left / 2)) if workers > 1 else math.floor(left))
        kept.left, kept.held, kept.at = left - given, held + given, now
        return Grant(given, kept.left)

    def _filled(self, kept: Kept, ask: Ask, now: float) -> float:
        room = ask.burst - max(kept.held_before, kept.held)
        passed = max(0.0, now - kept.at - ask.away)
        slow = min(passed, max(0.0, min(kept.slow_until, now) - kept.at))
        return min(max(kept.left, room), kept.left + ask.per_second * (passed - slow + slow * ask.share))
