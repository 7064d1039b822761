"""When an issuer is asked for its keys again: now and then, at once when one is missed, more and more rarely while it fails."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

JITTER = 0.2
FIRST_RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How often an issuer is asked, and by which clock."""

    refresh_seconds: float
    cooldown_seconds: float
    clock: Callable[[], float] = time.monotonic


class Turn:
    """One issuer's place in the schedule. A wish is a number: another one means that somebody wants newer keys.

    `age` is that of the keys on disk, None without any: those of an earlier life need no question before their time.
    """

    def __init__(self, source: str, pace: Pace, *, age: float | None, wish: int) -> None:
        self.source, self._pace = source, pace
        now = pace.clock()
        self._due = now if age is None else now + max(0.0, pace.refresh_seconds - age) * random.uniform(0, 1)
        self._wish_answered, self._wish_heard_at = wish, now - pace.cooldown_seconds
        self._failures = 0
        self.running = False

    def is_due(self, wish: int) -> bool:
        """Whether to ask now. A wish is heard at most once per cooldown; until then it waits."""
        now = self._pace.clock()
        if self.running:
            return False
        if now >= self._due:
            return True
        if wish == self._wish_answered or now - self._wish_heard_at < self._pace.cooldown_seconds:
            return False
        self._wish_heard_at = now
        return True

    def done(self, *, ok: bool, wish: int) -> None:
        """`wish` is what was wanted when the question began: who wants newer keys than that is heard after it."""
        self._wish_answered = wish
        self._failures = 0 if ok else self._failures + 1
        pause = self._pace.refresh_seconds
        if not ok:
            retry = FIRST_RETRY_SECONDS * 2.0 ** min(self._failures - 1, 10)
            pause = min(pause, LONGEST_RETRY_SECONDS, retry)
        self._due = self._pace.clock() + pause * random.uniform(1 - JITTER, 1)
        self.running = False
