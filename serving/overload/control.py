"""One worker's answer to overload: how many predictions are in progress, how many may be, and who is refused beyond that.

A beat every few milliseconds, while anybody asks, tells whether the loop has time to spare: it comes late where the loop was at
work. What was read right after a late beat has waited in the kernel meanwhile, which no other clock shows.
"""

from __future__ import annotations

import asyncio
import random

from serving.overload.clocks import Clocks
from serving.overload.limit import AdaptiveLimit, Bounds, Window
from serving.overload.many import ManySeen
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

CLOCKS = Clocks()
IN_FLIGHT, LIMIT, FAIR_SHARE = "in_flight", "concurrency", "fair_share"


class Overload:
    """What the doors of a worker ask and tell, as plain attributes: this is on the way of every prediction.

    A door compares `in_progress` with `gate` and asks `refusal` only beyond it; what it refuses is `refused()`. The gate is the
    limit, or 0 while more than that has to be done for each. Whoever computes counts in `in_progress` what has been read and not
    answered, adds a request for one row to `singles` and its latency to `waited`. Of many rows he tells when they `came`, adds
    those answered so far to `many.rows`, and tells when they `ended`.
    """

    def __init__(
        self,
        bounds: Bounds,
        metrics: OverloadMetrics,
        *,
        adaptive: bool = True,
        clocks: Clocks = CLOCKS,
    ) -> None:
        self._adaptive, self._metrics = AdaptiveLimit(bounds) if adaptive else None, metrics
        self._cap, self._clock, self._clocks = bounds.cap, clocks.now, clocks
        self._shares, self.refused = Shares(), Refusals()
        self.limit = bounds.cap if self._adaptive is None else int(self._adaptive.value)
        self.in_progress = self.singles = 0
        self.many = ManySeen()
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
            return self._refusal()
        if self._crowded and caller is not None:
            self._shares.charge(caller)
        return None

    def refusal_after_all(self, caller: str | None) -> str | None:
        """The same for one who was let in, and whose body has come only now: others may have come before him."""
        if self.in_progress < self.limit or self._goes_first(caller) or self._is_new(caller):
            return None
        return self._refusal()

    def _refusal(self) -> str:
        self._refused += 1
        return FAIR_SHARE if self._shares.callers > 1 else LIMIT

    def _goes_first(self, caller: str | None) -> bool:
        """Whether there is a place beyond the limit for this one."""
        self._last_crowd = self._clock()
        if not self._crowded:
            self._crowded, self.gate, self._strangers = True, 0, STRANGERS
        if self.in_progress >= self.most:
            return False
        if caller is None or not self._shares.callers:  # or nobody new would ever be known, or admitted
            self._strangers -= 1
            return self._strangers >= 0
        return self._shares.is_short(caller)

    def _is_new(self, caller: str | None) -> bool:
        """Whether he was let in as a stranger. From now on he is none."""
        if caller is None or self._shares.knows(caller) or self.in_progress >= self.most:
            return False
        self._shares.charge(caller)
        return True

    def came(self, caller: str, rows: int) -> None:
        """A request for many rows has been read: only now is it known what it takes of its caller's share."""
        self.in_progress += 1
        self.many.came += 1
        self.many.came_rows += rows
        if self._crowded:
            self._shares.charge(caller, rows - 1)

    def ended(self, rows: int, seconds: float) -> None:
        """However it ended: so long it has waited."""
        self.in_progress -= 1
        self.many.ended += 1
        self.many.ended_rows += rows
        self.many.waited += seconds

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
        self._since, self._cpu, self._starved = now, self._clocks.cpu(), self._clocks.starved()
        self._beats = self._late_beats = self._seen = self._refused = self.singles = 0
        self._lateness = self.waited = 0.0
        self.many.clear()

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
        seconds, answered = now - self._since, self.many.rows + self.singles
        if seconds >= WINDOW_SECONDS and (answered >= ENOUGH or seconds >= LONGEST_SECONDS):
            if not (answered or self._refused or self.in_progress):
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
        in_progress = self._seen / self._beats
        if self._adaptive is not None:
            self._adaptive.observe(self._window(seconds, in_progress))
            self.limit = int(self._adaptive.value)
        self.refused.pressure = self._refused / max(self.singles + self.many.ended, 1)
        self._strangers = STRANGERS
        if self._crowded:
            self._shares.fade(FADING**seconds)
            if self._clock() - self._last_crowd > CROWDED_SECONDS:
                self._crowded = False
                self._shares.clear()
        self.gate = 0 if self._crowded else self.limit
        self._metrics.loop_was_late(self._lateness)
        self._tell(in_progress)

    def _window(self, seconds: float, in_progress: float) -> Window:
        """Requests for one row tell best how long one waits. Where there are none, those for many do."""
        cpu = self._clocks.cpu() - self._cpu
        singles, many, latency, rows_waited = self.singles, self.many, 0.0, 1.0
        if singles:
            latency = self._lateness / self._beats + self.waited / singles
        elif many.ended:
            latency = self._lateness / self._beats + many.waited / many.ended
            rows_waited = many.ended_rows / many.ended
        came = singles + many.came
        return Window(
            seconds=seconds,
            busy=max(cpu / seconds, self._late_beats / self._beats),
            cpu_seconds=cpu,
            starved=self._clocks.starved() - self._starved,
            answered=singles + many.rows,
            refused=self._refused,
            latency=latency,
            in_progress=in_progress,
            rows_each=(singles + many.came_rows) / came if came else 0.0,
            rows_waited=rows_waited,
        )

    def _tell(self, in_progress: float) -> None:
        self._metrics.limit.set(self.limit)
        self._metrics.in_progress.set(in_progress)
        if self._adaptive is not None:
            self._metrics.tolerated.set(self._adaptive.tolerated)
