"""How long a look-up in a cache is worth waiting for: a few times what it usually takes, for then computing is quicker."""

from __future__ import annotations

LEAST_SECONDS = 0.005
TIMES_USUAL = 4.0
WEIGHT = 0.1  # of the latest call in what is usual


class Patience:
    """Never more than `limit`. A tier that has become slower for good is waited for again after a few dozen calls."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._usual = limit / TIMES_USUAL

    @property
    def seconds(self) -> float:
        return min(self._limit, max(LEAST_SECONDS, TIMES_USUAL * self._usual))

    def took(self, seconds: float) -> None:
        self._usual += WEIGHT * (seconds - self._usual)
