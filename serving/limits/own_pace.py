"""How often one account may get tokens and take them back at one worker, so that nobody fills the list of revocations.

The list is read whole by every pod, so its length is bounded where entries come from: a token that was never issued
cannot be revoked. Logins are charged once they are proved: somebody else's guesses cost an account nothing here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from auth.policy import Rate
from modelkit.errors import RateLimited
from serving.identity_metrics import IdentityMetrics
from serving.limits.limiter import RateLimits
from serving.limits.sharing import Sharing

PACE = Rate(per_second=0.5, burst=30.0)


class OnePace:
    """Implements `Rates`: the same for everybody, for ever."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate

    def generation(self) -> int:
        return 0

    def any(self) -> bool:
        return True

    def of(self, subject: str, model: str) -> Rate | None:
        return self._rate


class OwnPace:
    """For the slow routes' threads. Each kind of act has a bucket of its own, so that who uses one up, perhaps with a
    stolen token, keeps its owner from none of the others.
    """

    def __init__(
        self, metrics: IdentityMetrics, *, rate: Rate = PACE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limits = RateLimits(OnePace(rate), metrics, Sharing(divisor=1), clock=clock)
        self._lock = threading.Lock()
        self._told = f"too often: {rate.burst:g} at once and {rate.per_second:g} a second are the limit"

    def __call__(self, subject: str, act: str) -> None:
        """Raises RateLimited."""
        with self._lock:
            try:
                self._limits.admit(subject, act)
            except RateLimited as error:
                raise RateLimited(self._told, headers=error.headers) from None
