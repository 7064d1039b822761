"""What all buckets of a worker have in common: whether the store is there, and who else spends from it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

CREDIT_SHARE = 0.1  # of a burst, over all workers together: the bound on what is admitted too much


def _nobody() -> None:
    """Nobody leases tokens: there is no store."""


@dataclass(slots=True)
class Sharing:
    """`divisor` is how many workers share a quota as far as the settings know, `workers` as far as the store knows (0:
    not heard yet). `since` is when the store was lost, which tells how much a bucket may have been filled meanwhile.
    """

    divisor: int
    attached: bool = False
    workers: int = 0
    since: float = -math.inf
    wake: Callable[[], None] = _nobody

    def credit(self, burst: float) -> float:
        """What a worker may spend before the store has heard of it."""
        return max(1.0, math.floor(CREDIT_SHARE * burst / self.crowd)) if self.workers else 1.0

    @property
    def crowd(self) -> int:
        """How many workers there are, as far as anybody knows: a store that was started again has met few of them."""
        return max(self.workers, self.divisor)
