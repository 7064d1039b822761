"""How often one account may get tokens and take them back at one worker."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from prometheus_client import CollectorRegistry

from auth.policy import Rate
from modelkit.errors import RateLimited
from serving.identity_metrics import IdentityMetrics
from serving.limits.own_pace import OwnPace
from tests.fakes.clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(1000.0)


@pytest.fixture
def pace(clock: FakeClock) -> OwnPace:
    return OwnPace(IdentityMetrics(CollectorRegistry()), rate=Rate(per_second=0.5, burst=30.0), clock=clock)


def granted(pace: OwnPace, subject: str, act: str, times: int) -> int:
    done = 0
    for _ in range(times):
        try:
            pace(subject, act)
        except RateLimited:
            continue
        done += 1
    return done


def test_a_burst_goes_through_and_then_one_every_two_seconds(pace: OwnPace, clock: FakeClock) -> None:
    assert granted(pace, "ada", "login", 100) == 30
    clock.advance(2)
    assert granted(pace, "ada", "login", 100) == 1
    clock.advance(900)
    assert granted(pace, "ada", "login", 100) == 30


def test_others_and_other_acts_are_not_held_up(pace: OwnPace) -> None:
    granted(pace, "ada", "refresh", 100)
    assert granted(pace, "bob", "refresh", 1) == 1
    assert granted(pace, "ada", "login", 1) == 1


def test_who_is_refused_hears_when_to_come_back(pace: OwnPace) -> None:
    granted(pace, "ada", "revoke", 30)
    with pytest.raises(RateLimited, match=r"30 at once and 0\.5 a second") as caught:
        pace("ada", "revoke")
    said = dict(caught.value.headers)
    assert (said["retry-after"], said["ratelimit"]) == ("2", '"revoke";r=0;t=2')


def test_many_threads_get_no_more_than_one_would(pace: OwnPace) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: granted(pace, "ada", "login", 50), range(8))) == 30


def test_everybody_has_a_bucket_and_memory_is_bounded(pace: OwnPace) -> None:
    assert all(granted(pace, f"user-{number}", "login", 1) for number in range(25_000))
