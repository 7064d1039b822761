"""One worker's answer to overload: how many predictions are in progress, how many may be, and who is refused beyond that.

A beat every few milliseconds, while anybody asks, tells whether the loop has time to spare: it comes late where the loop was at
work. What was read right after a late beat has waited in the kernel meanwhile, which no other clock shows.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable

from serving.overload.limit import AdaptiveLimit, Bounds, Window
from serving.overload.refusals import Refusals
from serving.overload.shares import Shares
from serving.overload_metrics import OverloadMetrics

BEAT_SECONDS = 0.005
LATE_SECONDS = 0.001
WINDOW_SECONDS = 0.25
ENOUGH = 8
LONGEST_SECONDS = 2.0
# So long after the last refusal it still counts who was admitted.
CROWDED_SECONDS = 10.0
# Of what was admitted, after a second; and so many strangers a window are asked for their token although there is no room.
FADING = 0.85
STRANGERS = 8
ROOM_FOR_THE_SHORT = 4

IN_FLIGHT, LIMIT, FAIR_SHARE = "in_flight", "concurrency", "fair_share"


class Overload:
    """What the doors of a worker ask and tell, as plain attributes: this is on the way of every prediction.

    A door compares `in_progress` with `gate` and asks `refusal` only beyond it; what it refuses is `refused()`. The gate is the
    limit, or 0 while more than that has to be done for each. Whoever computes counts in `in_progress` what has been read and not
    answered, adds the rows that he answered to `rows`, but a request for one row to `singles`, and its latency to `waited`.
    """

    def __init__(
        self,
        bounds: Bounds,
        metrics: OverloadMetrics,
        *,
        adaptive: bool = True,
        clock: Callable[[], float] = time.perf_counter,
        cpu_clock: Callable[[], float] = time.thread_time,
    ) -> None:
        self._adaptive, self._metrics = AdaptiveLimit(bounds) if adaptive else None, metrics
        self._cap, self._clock, self._cpu_clock = bounds.cap, clock, cpu_clock
        self._shares, self.refused = Shares(), Refusals()
        self.limit = bounds.cap if self._adaptive is None else int(self._adaptive.value)
        self.in_progress = self.rows = self.singles = 0
        self.waited = self.late = 0.0
        self._crowded = self._awake = False
        self.gate = 0
        self._refused = self._strangers = 0
        self._last_crowd = 0.0

    def refusal(self, caller: str | None) -> str | None:
        """Why a caller, None if unknown, is refused; None lets him in."""
        if not self._awake:
            self._wake()
        if self.in_progress >= self.limit and not self._goes_first(caller):
            self._refused += 1
            return FAIR_SHARE if self._shares.callers > 1 else LIMIT
        if self._crowded and caller is not None:
            self._shares.charge(caller)
        return None

    def _goes_first(self, caller: str | None) -> bool:
        """Whether there is a place beyond the limit for this one."""
        self._last_crowd = self._clock()
        if not self._crowded:
            self._crowded, self.gate, self._strangers = True, 0, STRANGERS
        if self.in_progress >= self.most:
            return False
        if caller is None:  # or nobody new would ever be known
            self._strangers -= 1
            return self._strangers >= 0
        return self._shares.is_short(caller)

    @property
    def most(self) -> int:
        """With the places beyond the limit, for those who have less than their share."""
        return min(self._cap, 2 * self.limit + ROOM_FOR_THE_SHORT)

    def _wake(self) -> None:
        """At the first request after a pause, on the loop."""
        self._awake, self.gate = True, self.limit
        now = self._clock()
        self._begin(now)
        self._next_beat(now)

    def _begin(self, now: float) -> None:
        self._since, self._cpu = now, self._cpu_clock()
        self._beats = self._late_beats = self._seen = self._refused = self.rows = self.singles = 0
        self._lateness = self.waited = 0.0

    def _next_beat(self, now: float) -> None:
        """Not at even distances, which might fall in step with the work."""
        distance = BEAT_SECONDS * (0.6 + 0.8 * random.random())
        self._due = now + distance
        asyncio.get_running_loop().call_later(distance, self._beat)

    def _beat(self) -> None:
        now = self._clock()
        late = now - self._due
        self.late = late if late > LATE_SECONDS else 0.0
        self._beats += 1
        self._seen += self.in_progress
        if self.late:
            self._late_beats += 1
            self._lateness += late
        seconds = now - self._since
        if seconds >= WINDOW_SECONDS and (self.rows + self.singles >= ENOUGH or seconds >= LONGEST_SECONDS):
            if not (self.rows or self.singles or self._refused or self.in_progress):
                self._rest()
                return
            self._judge(seconds)
            self._begin(now)
        self._next_beat(now)

    def _rest(self) -> None:
        self._awake = self._crowded = False
        self.gate = 0
        self.late = self.refused.pressure = 0.0
        self._shares.clear()
        self._tell(0.0)

    def _judge(self, seconds: float) -> None:
        cpu, rows = self._cpu_clock() - self._cpu, self.rows + self.singles
        in_progress, late = self._seen / self._beats, self._lateness / self._beats
        if self._adaptive is not None:
            busy = max(cpu / seconds, self._late_beats / self._beats)
            self._adaptive.observe(
                Window(
                    seconds=seconds,
                    busy=busy,
                    cpu_seconds=cpu,
                    answered=rows,
                    refused=self._refused,
                    latency=late + self.waited / self.singles if self.singles else 0.0,
                    in_progress=in_progress,
                )
            )
            self.limit = int(self._adaptive.value)
        self.refused.pressure = self._refused / max(rows, 1)
        self._strangers = STRANGERS
        if self._crowded:
            self._shares.fade(FADING**seconds)
            if self._clock() - self._last_crowd > CROWDED_SECONDS:
                self._crowded = False
                self._shares.clear()
        self.gate = 0 if self._crowded else self.limit
        self._metrics.loop_was_late(self._lateness)
        self._tell(in_progress)

    def _tell(self, in_progress: float) -> None:
        self._metrics.limit.set(self.limit)
        self._metrics.in_progress.set(in_progress)
        if self._adaptive is not None:
            self._metrics.tolerated.set(self._adaptive.tolerated)
