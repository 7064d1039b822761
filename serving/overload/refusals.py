"""When a refused caller may ask again: later the more are refused, and by lot, so that a crowd does not come back as one."""

from __future__ import annotations

import random

from modelkit.errors import Overloaded

LEAST_SECONDS, MOST_SECONDS = 1.0, 20.0
# At 5 times capacity four are refused for each that is answered: they come again within six seconds, not all within one.
SECONDS_EACH = 1.4


class Refusals:
    """`pressure` is how many are refused for each that is answered."""

    def __init__(self, chance: random.Random | None = None) -> None:
        self.pressure = 0.0
        self._chance = chance or random.Random()

    def __call__(self) -> Overloaded:
        """Half of the wait is certain, the other half is chance."""
        longest = min(max(SECONDS_EACH * self.pressure, LEAST_SECONDS), MOST_SECONDS)
        refusal = Overloaded()
        refusal.milliseconds = int(500 * longest * (1 + self._chance.random()))
        return refusal
