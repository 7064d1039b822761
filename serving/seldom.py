"""How often trouble is told of that every request meets: the first time, and then once a minute. Its count is in a metric."""

from __future__ import annotations

import time
from collections.abc import Callable

QUIET_SECONDS = 60.0


class Seldom:
    """`what` tells kinds of trouble apart; there must be few of them."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told: dict[str, float] = {}

    def due(self, what: str = "") -> bool:
        """Whether to tell now; then it counts as told."""
        now, told = self._clock(), self._told.get(what)
        if told is not None and now - told < QUIET_SECONDS:
            return False
        self._told[what] = now
        return True
