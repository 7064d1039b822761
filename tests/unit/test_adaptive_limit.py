"""The adaptive limit on simulated loops: a slow model, a fast one, ones that gain by company; overload, bursts, slow-downs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from serving.overload.limit import AdaptiveLimit, Window
from tests.overloaded_loop import BOUNDS, Costs, SimulatedLoop

SLOW = Costs(row=0.010)
FAST = Costs(call=45e-6, row=20e-6)
GAINS = Costs(call=0.002, row=100e-6)
GAINS_MUCH = Costs(call=0.050, row=0.001)


def at(*steps: tuple[float, float]) -> Callable[[float], float]:
    """A rate by time: of each step the second from which on it holds, and the rate."""
    return lambda now: [rate for since, rate in steps if now >= since][-1]


def test_a_slow_model_gives_at_five_times_its_capacity_what_it_gives_at_its_best() -> None:
    loop = SimulatedLoop(SLOW, at((0, 25), (10, 500)))
    seen = loop.run(70)
    assert seen.goodput(10, 70) >= 0.9 * SLOW.capacity
    assert seen.p99(10, 70) <= 2 * seen.p99(0, 10)
    assert BOUNDS.floor <= loop.limit.value <= 6
    refusals = sorted(latency for _, latency in seen.refused)
    assert refusals[int(0.99 * len(refusals))] < 0.050


def test_at_ten_times_it_still_gives_four_fifths() -> None:
    seen = SimulatedLoop(SLOW, at((0, 25), (5, 1000))).run(35)
    assert seen.goodput(5, 35) >= 0.8 * SLOW.capacity


def test_within_seconds_of_its_end_nothing_is_left_of_an_overload() -> None:
    seen = SimulatedLoop(SLOW, at((0, 25), (5, 1000), (25, 25))).run(45)
    assert seen.p99(27, 45) <= 1.5 * seen.p99(0, 5)
    assert seen.refusals(27, 45) <= 5


def test_a_fast_model_is_not_limited_below_what_it_can_do() -> None:
    seen = SimulatedLoop(FAST, at((0, 0.9 * FAST.capacity))).run(10)
    assert not seen.refused
    assert seen.lowest(0, 10) >= 100


@pytest.mark.parametrize(("costs", "share"), [(GAINS, 0.8), (GAINS_MUCH, 0.25)], ids=["some", "much"])
def test_a_model_that_gains_by_company_gets_company(costs: Costs, share: float) -> None:
    """Batches make each answer later: a limit that only looks at that would let them in one by one."""
    rate = 1.3 * costs.capacity
    seen = SimulatedLoop(costs, at((0, 0.1 * rate), (5, rate))).run(45)
    alone = 1 / costs.together(1)
    assert seen.goodput(25, 45) >= share * costs.capacity
    assert seen.goodput(25, 45) > 4 * alone


@pytest.mark.parametrize("costs", [SLOW, FAST], ids=["slow", "fast"])
def test_bursts_while_there_is_time_to_spare_do_not_lower_it(costs: Costs) -> None:
    """Every second as much as takes 80 ms comes at once."""
    together = min(int(0.05 / costs.together(1)), 200)
    loop = SimulatedLoop(costs, lambda now: together / 0.05 if now % 1.0 < 0.05 else 30.0)
    seen = loop.run(30)
    assert seen.lowest(5, 30) >= min(together, 6)
    assert len(seen.refused) <= 0.2 * len(seen.answered)


@pytest.mark.parametrize(
    ("costs", "rows"),
    [(FAST, 1000), (FAST, 100), (SLOW, 10), (SLOW, 30)],
    ids=["fast-1000", "fast-100", "slow-10", "slow-30"],
)
def test_where_only_many_rows_are_asked_for_at_a_time_overload_is_met_as_well(
    costs: Costs, rows: int
) -> None:
    capacity = 1 / costs.many(rows)
    loop = SimulatedLoop(
        costs, at((0, 0.25 * capacity), (15, 5 * capacity)), rows=lambda chance, now: rows, seed=3
    )
    seen = loop.run(75)
    assert seen.goodput(15, 75) >= 0.9 * capacity
    assert seen.p99(20, 75) <= max(0.06, 4 * costs.many(rows))
    assert not seen.late
    assert BOUNDS.floor <= loop.limit.value <= 12


def test_without_an_answer_in_time_the_limit_falls_until_there_is_one() -> None:
    """Requests of a second each, more than are answered in five, come at once: at first all are late, and all share the loop."""
    loop = SimulatedLoop(SLOW, at((0, 200.0), (0.5, 2.0)), rows=lambda chance, now: 100)
    seen = loop.run(40)
    assert seen.goodput(15, 40) >= 0.8 / SLOW.many(100)
    assert loop.limit.value <= 4


def test_a_few_requests_for_many_rows_do_not_take_the_places_of_those_for_one() -> None:
    """One in a hundred is for a thousand rows, and takes as much as three hundred others."""
    each = 0.01 * FAST.many(1000) + 0.99 * (FAST.together(1) + FAST.http)
    seen = SimulatedLoop(
        FAST, at((0, 0.9 / each)), rows=lambda chance, now: 1000 if chance.random() < 0.01 else 1
    ).run(15)
    assert not seen.refused
    assert not seen.late
    assert seen.lowest(5, 15) >= 50


def test_it_follows_a_slow_down_and_comes_back() -> None:
    """For ten seconds everything takes five times as long."""
    slower = at((0, 1.0), (10, 5.0), (20, 1.0))
    rate = 0.6 / SLOW.together(1)
    loop = SimulatedLoop(SLOW, at((0, rate)), slower=slower)
    seen = loop.run(45)
    assert seen.goodput(12, 20) >= 0.8 * SLOW.capacity / 5
    assert seen.p99(13, 20) < 0.5
    assert seen.refusals(25, 45) <= 0.03 * rate * 20
    assert loop.limit.value >= 5


def test_who_waits_for_somebody_else_is_no_reason_to_refuse() -> None:
    """Redis hangs: every answer takes 50 ms more, and the loop has nothing to do."""
    limit = AdaptiveLimit(BOUNDS)
    before = limit.value
    waiting = Window(
        seconds=0.25,
        busy=0.1,
        cpu_seconds=0.025,
        answered=100,
        refused=0,
        latency=0.060,
        in_progress=24,
    )
    for _ in range(200):
        limit.observe(waiting)
    assert limit.value >= min(before, 2 * 24)


def test_refusals_while_there_is_time_to_spare_raise_it() -> None:
    limit = AdaptiveLimit(BOUNDS)
    busy = Window(
        seconds=0.25, busy=1.0, cpu_seconds=0.25, answered=25, refused=50, latency=0.3, in_progress=30
    )
    for _ in range(20):
        limit.observe(busy)
    low = limit.value
    limit.observe(busy._replace(busy=0.3, cpu_seconds=0.07, latency=0.02))
    assert limit.value > low


def test_a_window_without_an_answer_says_nothing() -> None:
    limit = AdaptiveLimit(BOUNDS)
    before = limit.value
    limit.observe(Window(2.0, 1.0, 2.0, answered=0, refused=100, latency=0.0, in_progress=5))
    assert limit.value == before


def test_a_machine_that_stalls_is_no_overload() -> None:
    """Late beats and long latencies of a loop that has hardly worked: somebody else had the core."""
    limit = AdaptiveLimit(BOUNDS)
    before = limit.value
    stalled = Window(
        seconds=0.25,
        busy=1.0,
        cpu_seconds=0.02,
        answered=15,
        refused=0,
        latency=0.4,
        in_progress=16.0,
    )
    for _ in range(40):
        limit.observe(stalled)
    assert limit.value >= min(before, BOUNDS.cap)


@pytest.mark.parametrize("share", [0.2, 0.1])
def test_who_only_gets_a_small_share_of_a_core_answers_what_that_can(share: float) -> None:
    """A neighbour takes the rest, or the container's limit is small: the loop is ready and has no core, and it stays so."""
    capacity = share * SLOW.capacity
    loop = SimulatedLoop(SLOW, at((0, 0.25 * capacity), (10, 5 * capacity)), share=lambda now: share)
    seen = loop.run(70)
    assert seen.goodput(20, 70) >= 0.9 * capacity
    assert seen.p99(20, 70) <= 2 * seen.p99(0, 10)
    assert loop.limit.value <= 6


def test_a_core_that_others_take_for_a_second_is_no_overload() -> None:
    limit = AdaptiveLimit(BOUNDS)
    before = limit.value
    taken = Window(
        seconds=0.25,
        busy=1.0,
        cpu_seconds=0.02,
        answered=15,
        refused=0,
        latency=0.4,
        in_progress=100.0,
        starved=0.23,
    )
    for _ in range(4):
        limit.observe(taken)
    assert limit.value == before
    limit.observe(taken._replace(busy=0.2, starved=0.0, latency=0.004))
    for _ in range(4):
        limit.observe(taken)
    assert limit.value >= 0.9 * before
    for _ in range(8):
        limit.observe(taken)
    assert limit.value < 0.5 * before


def test_while_a_machine_stalls_the_limit_does_not_grow_either() -> None:
    limit = AdaptiveLimit(BOUNDS)
    for _ in range(40):
        limit.observe(Window(0.25, 1.0, 0.02, answered=15, refused=40, latency=0.4, in_progress=128))
    assert limit.value == AdaptiveLimit(BOUNDS).value
