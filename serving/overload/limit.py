"""How many predictions one event loop may have in progress before each further one only makes the others wait.

A limit in the manner of Netflix' Gradient2 (github.com/Netflix/concurrency-limits: `limit * tolerated / observed latency`, judged
by windows) that knows what a request costs, as brpc's auto_concurrency_limiter does with Little's law. Three things differ,
because here one thread reads, computes and answers, and what arrives together is computed together:

* Latency counts against the limit only while the loop has no time to spare, and has worked. Bursts, requests that wait for
  somebody else, and a machine that stalls are no reason to refuse anybody.
* What is tolerated grows with the root of what company saves: a batch makes each request slower and all of them cheaper.
* The limit stays near `tolerated latency / CPU of a request`. Where latency comes from refusing, fewer answers shorten nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

# Of the latency without load. Two batches follow each other: one is computed while the next one gathers.
RATIO = 2.5
# The latency at the lowest limit is so many times that without load.
AT_LEAST = 2.0
# Work that may come at once while the loop has time to spare.
BURST_SECONDS = 0.2
BUSY = 0.8
# Of a core. A loop that is late and has worked less was not given more: a machine that stalls is no overload, and refusing
# would not help it. Where it was ready and others had the core for so long, or its quota was used up, that is its share.
WORKED, STALL_SECONDS = 0.3, 2.0
GROWTH = 1.25
# Of what is more than there is room for, in a second in which nothing is wrong.
LOWERED = 0.4
REFUSAL_SECONDS = 60e-6
# What a window with less CPU says of a request's cost is mostly what the loop does beside requests.
TELLING_CPU = 0.1
FEW = 8
_NEWEST = 0.3
# The latency without load is a slow minimum: it falls soon and rises late.
IDLE, RISING = 0.5, 0.02
# How far from Little's law latency may take the limit.
LEAST, MOST = 0.5, 4.0
FIRST = 128


@dataclass(frozen=True, slots=True)
class Bounds:
    """`seconds` of latency are always tolerated."""

    floor: int
    cap: int
    seconds: float


class Window(NamedTuple):
    """What was seen for some time. `busy` is the share of it in which the loop had no time to spare, and `in_progress` how many
    requests there were on average. `answered` are rows; requests that came asked for `rows_each` on average, 0 if none came.
    `latency` is that of requests for `rows_waited` rows, 0 if none ended: of those for one row, where there were any. For
    `starved` seconds the loop was ready, and got no core.
    """

    seconds: float
    busy: float
    cpu_seconds: float
    answered: int
    refused: int
    latency: float
    in_progress: float
    rows_each: float = 1.0
    rows_waited: float = 1.0
    starved: float = 0.0


class AdaptiveLimit:
    """`value` after every `observe`. Knows no clock and no loop."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self.value = self._bounded(FIRST)
        self._cost = self._cost_alone = self._unloaded = self._rows_each = self._stalled = 0.0
        self._share = 1.0

    def observe(self, window: Window) -> None:
        self._learn_cost(window)
        if window.latency <= 0.0:
            return
        if window.busy < BUSY:
            self._stalled = 0.0
            self._at_ease(window, self._of_one(window, window.latency))
        elif self._has_what_it_gets(window):
            self._pressed(window, window.latency * _answering(window))

    def _has_what_it_gets(self, window: Window) -> bool:
        """Whether a loop without time to spare has worked, or has had so little of a core for long that this is what it gets."""
        if window.cpu_seconds >= WORKED * window.seconds:
            self._stalled = 0.0
            return True
        if window.cpu_seconds + window.starved < BUSY * window.seconds:
            return False
        self._stalled += window.seconds
        return self._stalled > STALL_SECONDS

    @property
    def tolerated(self) -> float:
        """Seconds that a prediction may take under load."""
        gain = self._cost_alone / self._cost if self._cost else 1.0
        return max(self._bounds.seconds, RATIO * self._unloaded) * sqrt(max(1.0, gain))

    @property
    def _cost_each(self) -> float:
        """CPU of a request."""
        return self._cost * max(1.0, self._rows_each)

    def _of_one(self, window: Window, latency: float) -> float:
        """Without what a request's own further rows take: as if it had asked for one."""
        own = self._cost * (window.rows_waited - 1.0)
        return max(latency - own, self._cost) if own > 0.0 else latency

    def _learn_cost(self, window: Window) -> None:
        """Not where refusing was most of the work: what it took is known too roughly."""
        if window.answered < FEW or window.cpu_seconds < TELLING_CPU * window.seconds:
            return
        spent = window.cpu_seconds - window.refused * REFUSAL_SECONDS
        if self._cost and spent < 0.5 * window.cpu_seconds:
            return
        self._cost = _newer(self._cost, max(spent, 0.0) / window.answered)
        if window.rows_each:
            self._rows_each = _newer(self._rows_each, window.rows_each)

    def _at_ease(self, window: Window, latency: float) -> None:
        if window.busy < IDLE:
            self._learn_unloaded(latency, RISING if latency > self._unloaded else _NEWEST)
        room = 2.0 * window.in_progress
        if self._cost:
            room = max(room, max(self.tolerated, BURST_SECONDS) / self._cost_each)
        if window.refused or room > self.value:
            wanted = self.value * GROWTH + 1
            self.value = self._bounded(wanted if window.refused else min(room, wanted))
        elif self._cost:
            self.value = self._bounded(self.value + min(LOWERED * window.seconds, 1.0) * (room - self.value))

    def _pressed(self, window: Window, latency: float) -> None:
        self._share = _newer(self._share, window.cpu_seconds / (window.cpu_seconds + window.starved))
        expected = self.tolerated * self._share / self._cost_each if self._cost else 0.0
        lowest = max(self._bounds.floor, LEAST * expected) + 0.5
        if self.value <= lowest and window.in_progress <= lowest + 1:  # nearer to no load it does not get
            self._learn_unloaded(self._of_one(window, latency / AT_LEAST), _NEWEST)
        used = self.value if window.refused else min(self.value, window.in_progress)
        wanted = used * self.tolerated / self._of_one(window, latency)
        if expected:
            wanted = min(max(wanted, LEAST * expected), MOST * expected)
        wanted = self._bounded(wanted)
        if wanted < 0.5 * self.value:
            self.value = wanted
        elif wanted < self.value:
            self.value += 0.5 * (wanted - self.value)
        elif window.refused:
            self.value = min(wanted, self._bounded(self.value * GROWTH + 1))

    def _learn_unloaded(self, latency: float, weight: float) -> None:
        self._unloaded = _newer(self._unloaded, latency, weight)
        self._cost_alone = _newer(
            self._cost_alone, self._cost, _NEWEST if self._cost > self._cost_alone else RISING
        )

    def _bounded(self, value: float) -> float:
        return min(max(value, self._bounds.floor), self._bounds.cap)


def _answering(window: Window) -> float:
    """The share of the loop's work that is not refusing: fewer answers would shorten none of that."""
    refusing = window.refused * REFUSAL_SECONDS / max(window.cpu_seconds, 1e-9)
    return max(1.0 - refusing, 0.05)


def _newer(known: float, seen: float, weight: float = _NEWEST) -> float:
    return known + weight * (seen - known) if known else seen
