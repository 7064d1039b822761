"""One caller's tokens for one model, as this worker knows them: the part of a limit that a request touches.

While the store is there a bucket is `attached`: requests spend a lease, and at most a small credit a turn besides. While
it is not, the worker fills its own share of the quota by the clock, and settles that when the store is back.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from auth.policy import Rate
from serving.limits.quota import Ask, Grant
from serving.limits.sharing import Sharing

LEAST_PEAK = 0.5
LEASE_SECONDS = 0.9  # the store counts a lease for at least a second


class Sent(NamedTuple):
    """What a bucket has told the store, to be forgotten as soon as that has answered."""

    ask: Ask
    spent: float
    returned: float
    at: float


class State(NamedTuple):
    """What is left, what it can be at most, and how much of it flows in a second."""

    left: float
    most: float
    inflow: float


class Bucket:
    """`level` is what may be spent now; below zero it is debt, and nothing is admitted before that is paid.

    A `forgotten` one only has to settle what it owes or holds: whoever asks again has a new one.
    """

    __slots__ = (
        *(
            "model",
            "key",
            "rate",
            "burst",
            "level",
            "touched",
            "listed",
            "forgotten",
            "_sharing",
            "_attached",
        ),
        *(
            "_filled_at",
            "_alone_since",
            "_held",
            "_ends_at",
            "_spent",
            "_credit",
            "_left",
            "_left_at",
            "_asked",
        ),
        *("_peak", "_low", "_epoch"),
    )

    def __init__(self, key: bytes, model: str, rate: Rate, sharing: Sharing, now: float) -> None:
        self.key, self.model, self._sharing = key, model, sharing
        self.rate, self.burst = rate.per_second, rate.burst
        self.touched, self.listed, self.forgotten = now, False, False
        self._held = self._spent = self._asked = self._peak = 0.0
        alone_for = now - sharing.since
        self._left = self.burst if sharing.attached else min(self.burst, self.rate * alone_for)
        self._left_at = now
        self._low, self._epoch = math.inf, b""
        self._attached, self._filled_at, self._ends_at = sharing.attached, now, math.inf
        self._alone_since = now if sharing.attached else sharing.since
        self._credit = 0.0 if sharing.attached or sharing.since == -math.inf else 1.0
        self.level = 0.0 if sharing.attached else self._credit + self._share_since(sharing.since, now)

    # What a request does

    def take(self, now: float) -> bool:
        """Admits a request and takes its first token."""
        self.touched = now
        self._asked += 1.0
        if not self._attached:
            self._fill(now)
        elif now > self._ends_at:
            self._expire()
        if self.level < 1.0 and not (self._attached and self._borrow(now)):
            return False
        self.level -= 1.0
        self._spent += 1.0
        if self.level < self._low and self._attached and self._projected(now) >= 1.0:
            self._low = -math.inf
            self._sharing.wake()
        return True

    def charge(self, rows: int) -> None:
        """The rest of a request that was admitted: all of its rows but the first."""
        self.level -= rows
        self._spent += rows
        self._asked += rows

    def state(self, now: float) -> State:
        """What this worker knows of the whole bucket; of its own part while it is by itself."""
        if self._attached:
            return State(min(self.burst, self.level + self._projected(now)), self.burst, self.rate)
        return State(self.level, self._share(), self.rate / self._sharing.divisor)

    # What the turns with the store do

    def limit(self, rate: Rate) -> None:
        """Another rate from now on."""
        self.rate, self.burst = rate.per_second, rate.burst

    def report(self, now: float, *, leaving: bool = False) -> Sent:
        """What to tell the store. Whatever is returned cannot be spent from here on."""
        if not self._attached:
            return self._reunion(now)
        if now > self._ends_at:
            self._expire()
        unspent = self._held - self._spent
        target = 0.0 if leaving or self.forgotten else self._target()
        keep = min(max(unspent, 0.0), target)
        returned = max(unspent, 0.0) - keep
        self.level -= returned
        want = max(0.0, math.ceil(target - keep))
        ask = self._ask(keep, returned - max(-unspent, 0.0), want)
        return Sent(ask, self._spent, returned, now)

    def answered(self, sent: Sent, grant: Grant, epoch: bytes, now: float) -> None:
        self._attached, self._credit, self._epoch = True, 0.0, epoch
        self._spent -= sent.spent
        self._held = sent.ask.keep + grant.tokens
        self.level = self._held - self._spent
        self._left, self._left_at = grant.left, now
        self._low, self._ends_at = max(1.0, self._held / 4), sent.at + LEASE_SECONDS

    def unanswered(self, sent: Sent) -> None:
        """Whether the store heard is not known: what was returned is given up, what was spent will be told again."""
        self._held -= sent.returned

    def detach(self, now: float) -> None:
        if self._attached:
            if now > self._ends_at:
                self._expire()
            self._attached, self._filled_at, self._alone_since = False, now, now
            self.level, self._credit = self._held - self._spent, 0.0

    def attach(self) -> None:
        """Of a bucket that nobody used while the store was away."""
        self._attached, self.level, self._held = True, 0.0, 0.0
        self._credit, self._low = 0.0, math.inf

    @property
    def busy(self) -> bool:
        """Whether the store must hear of it again."""
        return self._held > 0 or self._spent != 0 or self._peak > 0 or self._asked > 0

    def idle(self, now: float) -> bool:
        """Whether it is as full as one that is made anew, so that it may be forgotten."""
        if self.busy and self._attached:
            return False
        if self._attached:
            return self._projected(now) >= self.burst
        self._fill(now)
        return self.level >= self._share()

    def settled(self) -> bool:
        """Whether nothing happened that the store would have to hear of."""
        return self._spent == 0 and self._held == 0

    def _reunion(self, now: float) -> Sent:
        """What is left of this worker's own filling becomes its lease."""
        self._fill(now)
        own = self.level - self._credit
        keep, back = 0.0 if self.forgotten else max(0.0, own), min(0.0, own)
        return Sent(
            self._ask(keep, back, 0.0, away=max(1e-6, now - self._alone_since)), self._spent, 0.0, now
        )

    def _ask(self, keep: float, back: float, want: float, *, away: float = 0.0) -> Ask:
        share = 1 / self._sharing.divisor
        return Ask(self.key, self.rate, self.burst, share, self._held, keep, back, want, away, self._epoch)

    def _expire(self) -> None:
        """A lease that was not renewed in time may be somebody else's by now."""
        unspent = max(0.0, self._held - self._spent)
        self.level -= unspent
        self._held -= unspent

    def _target(self) -> float:
        """The lease that the coming turn will need: twice the busiest of the last ones, and a fair part to begin with."""
        self._peak = max(self._asked, self._peak / 2)
        self._asked = 0.0
        if self._peak < LEAST_PEAK:
            self._peak = 0.0
            return 0.0
        start = self.burst / (4 * self._sharing.crowd)
        return min(self.burst, max(2 * self._peak, start))

    def _borrow(self, now: float) -> bool:
        """Credit, once a turn, where the bucket seems to hold enough for all workers to take theirs at once."""
        if self._credit:
            return False
        credit = self._sharing.credit(self.burst)
        if self.level + credit < 1.0:
            return False
        if self._projected(now) < min(self.burst, credit * self._sharing.crowd):
            return False
        self._credit = credit
        self.level += credit
        return True

    def _projected(self, now: float) -> float:
        return min(self.burst, self._left + self.rate * (now - self._left_at))

    def _share(self) -> float:
        return max(1.0, self.burst / self._sharing.divisor)

    def _share_since(self, since: float, now: float) -> float:
        return min(self._share(), self.rate / self._sharing.divisor * (now - since))

    def _fill(self, now: float) -> None:
        share = self._share()
        if self.level < share:
            filled = self.rate / self._sharing.divisor * (now - self._filled_at)
            self.level = min(share, self.level + filled)
        self._filled_at = now
