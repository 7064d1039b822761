"""Limits as workers keep them that share no store, with a clock of the test's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from prometheus_client import CollectorRegistry

from auth.policy import Policy, PolicyFile, Rate
from modelkit.errors import RateLimited
from serving.identity_metrics import IdentityMetrics
from serving.identity_settings import IdentitySettings
from serving.limits.limiter import RateLimits
from serving.limits.rates import PolicyRates, default_rate
from serving.limits.sharing import Sharing
from tests.rate_workers import FixedRates, RateWorkers

TEN = Rate(per_second=10.0, burst=20.0)
HUNDRED = Rate(per_second=50.0, burst=100.0)


@contextmanager
def workers(count: int, rate: Rate | None, *, max_buckets: int = 100) -> Iterator[RateWorkers]:
    with closing(RateWorkers(count, rate, store=False, max_buckets=max_buckets)) as made:
        yield made


def refusal(workers: RateWorkers) -> dict[str, str]:
    with pytest.raises(RateLimited) as caught:
        workers.limits[0].admit("ada", "iris")
    return dict(caught.value.headers)


def told(workers: RateWorkers, rows: int = 1) -> dict[bytes, bytes]:
    bucket = workers.limits[0].admit("ada", "iris")
    assert bucket is not None
    return dict(workers.limits[0].charged(bucket, rows))


def test_without_any_limit_nothing_has_to_be_asked() -> None:
    with workers(1, None) as one:
        assert not one.limits[0].on
        assert one.asked(1000) == 1000


def test_a_burst_is_admitted_and_then_what_flows_in() -> None:
    with workers(1, TEN) as one:
        assert one.asked(50) == 20
        one.now += 0.5
        assert one.asked(50) == 5


def test_a_request_costs_as_many_tokens_as_it_has_rows_and_the_debt_is_paid_by_waiting() -> None:
    with workers(1, TEN) as one:
        assert one.ask(rows=50)
        assert not one.ask()
        assert refusal(one)["retry-after"] == "4"  # 30 owed, and one more to come: 3.1 s
        one.now += 3.05
        assert not one.ask()
        one.now += 0.06
        assert one.ask()


def test_each_caller_and_each_model_has_a_bucket_of_its_own() -> None:
    with workers(1, TEN) as one:
        assert one.asked(30) == 20
        assert one.ask(subject="bob")
        assert one.ask(model="basket")
        assert not one.ask()


def test_a_request_holds_its_token_while_its_rows_are_not_known() -> None:
    with workers(1, TEN) as one:
        limits = one.limits[0]
        admitted = [limits.admit("ada", "iris") for _ in range(20)]
        assert len(admitted) == 20
        assert not one.ask()


def test_without_a_store_the_workers_divide_the_quota() -> None:
    with workers(4, HUNDRED) as four:
        assert [four.asked(100, worker) for worker in range(4)] == [25, 25, 25, 25]
        four.now += 1
        assert four.asked(100, 0) == 12


def test_an_answer_tells_the_limit_what_remains_and_when_all_of_it_is_there_again() -> None:
    with workers(1, TEN) as one:
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
    with workers(1, TEN) as one:
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
    with workers(1, TEN) as one:
        one.ask(rows=300)
        one.now += 20
        one.limits[0].forget_idle()
        assert one.limits[0].size == 1
        one.now += 20
        one.limits[0].forget_idle()
        assert one.limits[0].size == 0


def test_there_are_never_more_buckets_than_allowed_and_the_oldest_go_first() -> None:
    with workers(1, TEN, max_buckets=32) as one:
        for number in range(200):
            one.now += 0.001
            one.ask(subject=f"caller-{number}")
            assert one.limits[0].size <= 32
        one.asked(30)
        for number in range(20):
            one.ask(subject=f"other-{number}")
        assert not one.ask()  # who asked last is still known


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
