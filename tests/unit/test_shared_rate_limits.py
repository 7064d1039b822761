"""Limits that several workers share over a store of the test's, which can be down, deaf or forgetful."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial

import pytest

from auth.policy import Rate
from tests.rate_workers import RateWorkers

HUNDRED = Rate(per_second=50.0, burst=100.0)


@contextmanager
def workers(count: int, rate: Rate) -> Iterator[RateWorkers]:
    with closing(RateWorkers(count, rate)) as made:
        made.turn()
        made.turn()  # now each has heard of all the others
        yield made


def test_the_first_request_of_a_caller_does_not_wait_for_the_store() -> None:
    with workers(4, HUNDRED) as four:
        turns = len(four.stores[0].turns)
        assert four.ask()
        assert len(four.stores[0].turns) == turns


def test_workers_spend_one_burst_together_whichever_of_them_is_asked() -> None:
    with workers(4, HUNDRED) as four:
        admitted = 0
        for _ in range(40):
            admitted += sum(four.asked(20, worker) for worker in range(4))
            four.turn()
        assert 98 <= admitted <= 110


def test_one_worker_alone_may_spend_all_of_it() -> None:
    with workers(4, HUNDRED) as four:
        admitted = 0
        for _ in range(40):
            admitted += four.asked(20, 2)
            four.turn()
        assert 98 <= admitted <= 102


def test_a_caller_within_his_limit_is_never_refused_at_any_worker() -> None:
    with workers(4, HUNDRED) as four:
        for number in range(1000):  # 40 a second
            assert four.ask(number % 4), number
            four.now += 0.025
            if number % 2:
                four.turn()


def test_what_was_spent_beyond_the_lease_is_paid_before_anybody_is_admitted_again() -> None:
    with workers(2, HUNDRED) as two:
        assert two.ask(0, rows=250)
        assert two.asked(20, 1) <= 5  # who has not heard of it yet gives credit, once
        for _ in range(5):
            two.turn()
            assert not two.ask(0)
            assert not two.ask(1)
            two.now += 0.6
        two.now += 0.3
        two.turn()
        assert two.ask(1)


def test_a_lease_that_nobody_needs_is_given_back() -> None:
    with workers(2, HUNDRED) as two:
        two.asked(5, 0)
        for _ in range(12):
            two.now += 0.05
            two.turn()
        (kept,) = two.hall.buckets.values()
        assert kept.held == 0
        assert round(kept.left) == 100


def test_the_leases_of_a_worker_that_died_are_free_again_in_two_seconds() -> None:
    with workers(2, HUNDRED) as two:
        two.asked(5, 0)
        two.turn(0)
        (kept,) = two.hall.buckets.values()
        assert kept.held > 0
        for _ in range(5):
            two.now += 1.0
            two.ask(1)
            two.turn(1)
        assert kept.left + kept.held > 85


def test_a_worker_that_stops_gives_everything_back() -> None:
    with workers(2, HUNDRED) as two:
        two.asked(5, 0)
        two.turn()
        two.asked(2, 0)
        two.leave(0)
        (kept,) = two.hall.buckets.values()
        assert (kept.held, round(kept.left), two.stores[0].left) == (0, 93, True)


def test_while_the_store_is_down_each_worker_goes_on_with_its_share() -> None:
    with workers(4, HUNDRED) as four:
        four.asked(1, 0)
        four.turn()
        four.hall.down = True
        four.turn()
        four.now += 1.0
        admitted = [four.asked(100, worker) for worker in range(4)]
        assert sum(admitted) <= 100 * 1.1
        assert all(12 <= each <= 30 for each in admitted)
        four.now += 1.0
        assert [four.asked(100, worker) for worker in range(4)] == [pytest.approx(12, abs=1)] * 4


def test_a_store_that_comes_back_does_not_hand_out_what_was_spent_without_it() -> None:
    with workers(4, HUNDRED) as four:
        four.hall.down = True
        four.turn()
        four.now += 60.0
        assert sum(four.asked(100, worker) for worker in range(4)) <= 104
        four.hall.down = False
        admitted = 0
        for _ in range(10):
            four.turn()
            admitted += sum(four.asked(20, worker) for worker in range(4))
        assert admitted <= 10


def test_a_store_that_lost_its_data_hands_out_only_what_flows_in() -> None:
    with workers(4, HUNDRED) as four:
        four.now += 60.0
        four.turn()
        for _ in range(20):
            four.asked(20, 0)
            four.turn()
        four.hall.lose_everything()
        admitted = 0
        for _ in range(20):
            four.turn()
            four.now += 0.05
            admitted += sum(four.asked(20, worker) for worker in range(4))
        assert admitted <= 60


def test_an_answer_that_got_lost_gives_nobody_more() -> None:
    with workers(2, HUNDRED) as two:
        two.asked(3, 0)
        two.hall.deaf = True
        two.turn(0)
        two.hall.deaf = False
        admitted = 0
        for _ in range(30):
            two.turn()
            admitted += two.asked(20, 0) + two.asked(20, 1)
        assert admitted <= 107


def test_turns_are_counted_by_what_became_of_them() -> None:
    with workers(1, HUNDRED) as one:
        one.hall.down = True
        one.turn()
        one.metrics[0].fold()
        counted = partial(one.registries[0].get_sample_value, "slipway_rate_leases_total")
        assert (counted({"result": "ok"}), counted({"result": "error"})) == (2, 1)
