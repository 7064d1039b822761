"""The soak in a quarter of a minute: that its load is answered rightly while everything around restarts, and that no
descriptor, thread or metrics file is left over per request.

It cannot see a slow leak: memory still grows by what a service learns in its first minutes. `make soak MINUTES=2`, a step of
CI, sees a megabyte a minute, and only an hour sees one an hour.
"""

from __future__ import annotations

import random

import numpy as np
import pytest

from tests.soak.generator import EvenSample
from tests.soak.judging import judge
from tests.soak.running import Course, soak
from tests.soak.slope import slope

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own


def test_a_mixed_load_leaves_nothing_behind_while_everything_around_restarts() -> None:
    course = Course(minutes=0.25, workers=2, rate=40)
    soaked = soak(course, print)
    verdicts = judge(soaked.moments, soaked.asked, minutes=course.minutes)
    judged = [each for each in verdicts if not each.timing and not each.bar.startswith("memory")]
    assert [each for each in judged if not each.holds] == []
    assert len(soaked.events) == 3
    assert {outcome.rpartition(" ")[2] for outcome in soaked.asked.outcomes} >= {"200", "400", "401", "404"}


@pytest.mark.parametrize("leak", [0.0, 4.0])
def test_a_leak_is_told_from_noise(leak: float) -> None:
    """Megabytes an hour, among steps of two that come and go."""
    times = np.linspace(0, 5 / 6, 300)
    noise = np.repeat(np.random.default_rng(3).choice([0.0, 2.0], size=30), 10)
    found = slope(times, 150 + leak * times + noise)
    assert (found.upper > 1.0) is (leak > 1.0)
    assert found.value == pytest.approx(leak, abs=1.0)


def test_the_latencies_of_a_minute_are_a_sample_of_all_of_it() -> None:
    sample = EvenSample(1000, random.Random(5))
    for second in range(100_000):
        sample.add(float(second))
    assert len(sample.kept) == 1000
    assert [np.percentile(sample.kept, part) for part in (10, 50, 90)] == pytest.approx(
        [10_000, 50_000, 90_000], abs=5000
    )
