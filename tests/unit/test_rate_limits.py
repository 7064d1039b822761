"""Limits as one or several workers keep them, with a clock and a store of the test's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial

import pytest
from prometheus_client import CollectorRegistry

from auth.policy import Policy, PolicyFile, Rate
from modelkit.errors import RateLimited
from serving.identity_metrics import IdentityMetrics
from serving.identity_settings import IdentitySettings
from serving.limits.bucket import Sharing
from serving.limits.limiter import RateLimits
from serving.limits.rates import PolicyRates, default_rate
from tests.rate_workers import FixedRates, RateWorkers

TEN = Rate(per_second=10.0, burst=20.0)
HUNDRED = Rate(per_second=50.0, burst=100.0)


@contextmanager
def workers(
    count: int, rate: Rate | None, *, store: bool = True, max_buckets: int = 100
) -> Iterator[RateWorkers]:
    made = RateWorkers(count, rate, store=store, max_buckets=max_buckets)
    with closing(made):
        if store:
            made.turn()
            made.turn()  # now each has heard of all the others
        yield made


def refusal(workers: RateWorkers, worker: int = 0) -> dict[str, str]:
    with pytest.raises(RateLimited) as caught:
        workers.limits[worker].admit("ada", "iris")
    return dict(caught.value.headers)


def told(workers: RateWorkers, rows: int = 1) -> dict[bytes, bytes]:
    bucket = workers.limits[0].admit("ada", "iris")
    assert bucket is not None
    return dict(workers.limits[0].charged(bucket, rows))


# One worker, no store


def test_without_any_limit_nothing_has_to_be_asked() -> None:
    with workers(1, None, store=False) as one:
        assert not one.limits[0].on
        assert one.asked(1000) == 1000


def test_a_burst_is_admitted_and_then_what_flows_in() -> None:
    with workers(1, TEN, store=False) as one:
        assert one.asked(50) == 20
        one.now += 0.5
        assert one.asked(50) == 5


def test_a_request_costs_as_many_tokens_as_it_has_rows_and_the_debt_is_paid_by_waiting() -> None:
    with workers(1, TEN, store=False) as one:
        assert one.ask(rows=50)
        assert not one.ask()
        assert refusal(one)["retry-after"] == "4"  # 30 owed, and one more to come: 3.1 s
        one.now += 3.05
        assert not one.ask()
        one.now += 0.06
        assert one.ask()


def test_each_caller_and_each_model_has_a_bucket_of_its_own() -> None:
    with workers(1, TEN, store=False) as one:
        assert one.asked(30) == 20
        assert one.ask(subject="bob")
        assert one.ask(model="basket")
        assert not one.ask()


def test_a_request_holds_its_token_while_its_rows_are_not_known() -> None:
    with workers(1, TEN, store=False) as one:
        limits = one.limits[0]
        admitted = [limits.admit("ada", "iris") for _ in range(20)]
        assert len(admitted) == 20
        assert not one.ask()


def test_without_a_store_the_workers_divide_the_quota() -> None:
    with workers(4, HUNDRED, store=False) as four:
        assert [four.asked(100, worker) for worker in range(4)] == [25, 25, 25, 25]
        four.now += 1
        assert four.asked(100, 0) == 12


def test_an_answer_tells_the_limit_what_remains_and_when_all_of_it_is_there_again() -> None:
    with workers(1, TEN, store=False) as one:
        assert told(one, rows=5) == {
            b"ratelimit-policy": b'"iris";q=20;w=2',
            b"ratelimit": b'"iris";r=15;t=1',
            b"ratelimit-limit": b"20",
            b"ratelimit-remaining": b"15",
            b"ratelimit-reset": b"1",
        }
        assert told(one, rows=40)[b"ratelimit"] == b'"iris";r=0;t=5'


def test_a_refusal_tells_how_long_to_wait_and_is_counted_by_model() -> None:
    registry = CollectorRegistry()
    metrics = IdentityMetrics(registry)
    now = 0.0
    limits = RateLimits(
        FixedRates(Rate(per_second=0.1, burst=1.0)), metrics, Sharing(divisor=1), clock=lambda: now
    )
    limits.admit("ada", "iris")
    with pytest.raises(RateLimited, match=r"0\.1 rows a second; the next may come in 10 s") as caught:
        limits.admit("ada", "iris")
    fields = dict(caught.value.headers)
    assert (fields["retry-after"], fields["ratelimit"]) == ("10", '"iris";r=0;t=10')
    assert (fields["ratelimit-remaining"], fields["ratelimit-reset"]) == ("0", "10")
    metrics.fold()
    assert registry.get_sample_value("slipway_rate_limited_total", {"model": "iris"}) == 1


def test_a_changed_policy_holds_from_the_next_request_on() -> None:
    with workers(1, TEN, store=False) as one:
        assert one.asked(30) == 20
        one.rates.rules["ada", "iris"] = Rate(per_second=1000.0, burst=1000.0)
        one.rates.changes += 1
        one.limits[0].follow_rates()
        one.now += 0.1
        assert one.asked(300) == 100
        one.rates.rules.clear()
        one.rates.default = None
        one.rates.changes += 1
        one.limits[0].follow_rates()
        assert not one.limits[0].on
        assert one.asked(300) == 300


def test_callers_who_are_idle_are_forgotten_as_soon_as_their_bucket_is_full() -> None:
    with workers(1, TEN, store=False) as one:
        one.ask(rows=300)
        one.now += 20
        one.limits[0].forget_idle()
        assert one.limits[0].size == 1
        one.now += 20
        one.limits[0].forget_idle()
        assert one.limits[0].size == 0


def test_there_are_never_more_buckets_than_allowed_and_the_oldest_go_first() -> None:
    with workers(1, TEN, store=False, max_buckets=32) as one:
        for number in range(200):
            one.now += 0.001
            one.ask(subject=f"caller-{number}")
            assert one.limits[0].size <= 32
        one.asked(30)
        for number in range(20):
            one.ask(subject=f"other-{number}")
        assert not one.ask()  # who asked last is still known


# Several workers, one store


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


# Whose limit is what


def test_the_settings_default_holds_where_the_policy_says_nothing() -> None:
    policy = PolicyFile(None, audience="slipway", own_issuer="slipway")
    rates = PolicyRates(TEN, policy)
    assert rates.any()
    assert rates.of("ada", "iris") == TEN
    assert not PolicyRates(None, policy).any()
    assert policy.current() == Policy()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, None),
        ({"rate_limit_per_second": 5.0}, Rate(per_second=5.0, burst=10.0)),
        ({"rate_limit_per_second": 0.1}, Rate(per_second=0.1, burst=1.0)),
        ({"rate_limit_per_second": 5.0, "rate_limit_burst": 7}, Rate(per_second=5.0, burst=7.0)),
    ],
    ids=["none", "two-seconds", "at-least-one", "as-said"],
)
def test_a_burst_that_is_not_set_is_what_flows_in_in_two_seconds(
    settings: dict[str, float], expected: Rate | None
) -> None:
    assert default_rate(IdentitySettings(**settings)) == expected
