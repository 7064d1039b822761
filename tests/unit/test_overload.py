"""A worker's overload, told of requests as a predictor tells it: what many rows are to the limit and to the shares of callers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from prometheus_client import CollectorRegistry

from serving.overload.clocks import Clocks
from serving.overload.control import FAIR_SHARE, LIMIT, Overload
from serving.overload_metrics import OverloadMetrics
from tests.predictor_bench import BOUNDS, run

ROUNDS = 2000


class Worked:
    """Clocks that only go on where the loop is told to have worked."""

    def __init__(self) -> None:
        self.now = self.cpu = self.starved = 0.0

    def works(self, seconds: float) -> None:
        self.now += seconds
        self.cpu += seconds

    def overload(self) -> Overload:
        metrics = OverloadMetrics(CollectorRegistry())
        clocks = Clocks(now=lambda: self.now, cpu=lambda: self.cpu, starved=lambda: self.starved)
        return Overload(BOUNDS, metrics, clocks=clocks)


def answer_many(overload: Overload, clock: Worked, *, rows: int, waited: float, row: float) -> None:
    overload.came("ada", rows)
    clock.works(rows * row)
    overload.many.rows += rows
    overload.ended(rows, waited)


async def until(reached: Callable[[], bool], step: Callable[[], None]) -> None:
    for _ in range(ROUNDS):
        step()
        await asyncio.sleep(0.001)
        if reached():
            return
    raise AssertionError("it did not come to that")


@pytest.mark.parametrize(("rows", "row"), [(1000, 30e-6), (10, 0.010), (2, 0.010)])
def test_where_only_many_rows_are_asked_for_at_a_time_the_limit_falls_as_well(rows: int, row: float) -> None:
    """Eighty requests wait for each other: the one that ends has waited for all of them."""

    async def scenario() -> None:
        clock = Worked()
        overload = clock.overload()
        overload.refusal("ada")
        overload.in_progress = 80
        before = overload.limit
        waited = 80 * rows * row
        await until(
            lambda: overload.limit <= 6,
            lambda: answer_many(overload, clock, rows=rows, waited=waited, row=row),
        )
        assert before > 80

    run(scenario)


def test_many_rows_beside_each_other_are_no_overload_while_there_is_time_to_spare() -> None:
    async def scenario() -> None:
        clock = Worked()
        overload = clock.overload()
        overload.refusal("ada")

        def step() -> None:
            answer_many(overload, clock, rows=100, waited=0.004, row=30e-6)
            clock.now += 0.02

        await until(lambda: clock.now > 5.0, step)
        assert overload.limit >= 40

    run(scenario)


def test_a_request_for_many_rows_takes_so_much_of_its_callers_share() -> None:
    async def scenario() -> None:
        overload = Worked().overload()
        overload.refusal("large")
        overload.in_progress = overload.limit
        overload.refusal("large")  # nobody was counted so far: from now on shares count
        assert overload.refusal("large") in {LIMIT, FAIR_SHARE}
        overload.in_progress = 0
        for _ in range(5):
            assert overload.refusal("small") is None
        assert overload.refusal("large") is None
        overload.came("large", 1000)
        overload.in_progress = overload.limit
        assert overload.refusal("small") is None
        assert overload.refusal("large") == FAIR_SHARE

    run(scenario)


def test_however_a_request_for_many_rows_ends_its_place_is_free() -> None:
    overload = Worked().overload()
    overload.came("ada", 100)
    assert overload.in_progress == 1
    overload.ended(100, 5.0)
    assert overload.in_progress == 0


def test_where_one_caller_had_filled_the_limit_before_anybody_was_counted_another_one_gets_in() -> None:
    async def scenario() -> None:
        overload = Worked().overload()
        overload.refusal("large")
        overload.in_progress = overload.limit
        assert overload.refusal("small") is None
        assert overload.refusal("small") == LIMIT

    run(scenario)
