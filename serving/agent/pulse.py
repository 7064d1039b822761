"""Whether the agent lives: each of its chores starts its next step in time. A dependency that is down stops none of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

# Longer than any honest step: a model of hundreds of megabytes over a slow line, a million rows of features.
STEP_SECONDS = 300.0


class Pulse:
    """Chores say before each step and each pause how long that may take; who does not come back in time is stuck."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._due: dict[str, float] = {}
        self._lock = threading.Lock()

    def beat(self, chore: str, *, pause: float = 0.0) -> None:
        with self._lock:
            self._due[chore] = self._clock() + pause + STEP_SECONDS

    def rest(self, chore: str) -> None:
        """The chore is done for good."""
        with self._lock:
            self._due.pop(chore, None)

    def stuck(self) -> list[str]:
        """The chores that are overdue."""
        now = self._clock()
        with self._lock:
            return sorted(chore for chore, due in self._due.items() if now > due)
