"""A clock that moves when the test says so."""

from __future__ import annotations


class FakeClock:
    """Callable like `time.time` and `time.monotonic`."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds
