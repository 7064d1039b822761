"""Never more than a burst, what flowed in since, and a tenth: whatever the schedule, and whatever becomes of the store."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from auth.policy import Rate
from tests.rate_workers import RateWorkers

WORKERS = st.integers(1, 6)
# Which worker, how many requests, and how many more while its turn is on its way there and back.
EVENTS = st.one_of(
    st.tuples(st.just("ask"), st.integers(0, 5), st.integers(1, 60)),
    st.tuples(st.just("turn"), st.integers(0, 5), st.integers(0, 20), st.integers(0, 20)),
    st.tuples(st.just("wait"), st.floats(0.0, 0.3)),
    st.tuples(st.just("wait"), st.sampled_from([1.0, 5.0, 60.0])),
    st.tuples(st.just("crowd"), st.integers(1, 40)),
    st.tuples(st.just("store"), st.sampled_from(["down", "up", "deaf", "lost"]), st.integers(0, 5)),
    st.tuples(st.just("forget")),
)


class Meter:
    """The most that was admitted over any stretch of time beyond what flowed in during it."""

    def __init__(self, per_second: float) -> None:
        self._per_second, self._level, self._at = per_second, 0.0, 0.0
        self.worst = 0.0

    def admitted(self, rows: int, now: float) -> None:
        self._level = max(0.0, self._level - self._per_second * (now - self._at)) + rows
        self._at, self.worst = now, max(self.worst, self._level)


class Scene:
    """Plays a schedule."""

    def __init__(self, workers: int, rate: Rate, *, rows: int = 1) -> None:
        self.workers, self.meter, self._rows = RateWorkers(workers, rate), Meter(rate.per_second), rows
        self._count = workers
        self.workers.turn()  # each has been there long enough to be counted
        self.workers.turn()

    def play(self, event: tuple[Any, ...]) -> None:
        kind, *details = event
        getattr(self, kind)(*details)

    def ask(self, worker: int, times: int) -> None:
        admitted = self.workers.asked(times, worker % self._count, self._rows)
        self.meter.admitted(admitted * self._rows, self.workers.now)

    def crowd(self, times: int) -> None:
        for worker in range(self._count):
            self.ask(worker, times)

    def turn(self, worker: int, before: int, after: int) -> None:
        hall = self.workers.hall
        hall.before, hall.after = lambda: self.ask(worker, before), lambda: self.ask(worker + 1, after)
        self.workers.turn(worker % self._count)

    def wait(self, seconds: float) -> None:
        self.workers.now += seconds

    def store(self, fate: str, first: int) -> None:
        """Everybody notices, one after the other, while requests go on."""
        hall = self.workers.hall
        hall.down, hall.deaf = fate == "down", fate == "deaf"
        if fate == "lost":
            hall.lose_everything()
        for worker in range(2 * self._count):
            self.turn(first + worker, 20, 20)
            self.crowd(10)
            self.wait(0.05)

    def forget(self) -> None:
        for limits in self.workers.limits:
            limits.forget_idle()


@settings(deadline=None, max_examples=60)
@given(
    workers=WORKERS,
    burst=st.integers(10, 40),
    rate=st.floats(0.5, 500),
    events=st.lists(EVENTS, min_size=10, max_size=80),
)
def test_no_schedule_admits_more_than_the_burst_what_flowed_in_and_a_tenth(
    workers: int, burst: int, rate: float, events: list[tuple[Any, ...]]
) -> None:
    limit = Rate(per_second=rate, burst=float(burst * workers))
    scene = Scene(workers, limit)
    for event in events:
        scene.play(event)
    scene.workers.close()
    assert scene.meter.worst <= limit.burst * 1.1 + 1e-6


@settings(deadline=None, max_examples=30)
@given(
    workers=WORKERS,
    burst=st.integers(1, 20),
    rate=st.floats(0.5, 50),
    events=st.lists(EVENTS, min_size=5, max_size=40),
)
def test_a_small_limit_is_exceeded_by_no_more_than_one_request_of_each_worker(
    workers: int, burst: int, rate: float, events: list[tuple[Any, ...]]
) -> None:
    limit = Rate(per_second=rate, burst=float(burst))
    scene = Scene(workers, limit)
    for event in events:
        scene.play(event)
    scene.workers.close()
    assert scene.meter.worst <= max(limit.burst, workers) + max(workers, math.floor(0.1 * burst)) + 1e-6
