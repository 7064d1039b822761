"""Intervals that hold what they say: the truth lies in 95 of 100, also where the rows of one caller are alike."""

from __future__ import annotations

import math

import numpy as np
import pytest

from monitoring.intervals import (
    difference,
    interval,
    mean_over_rows,
    mean_over_units,
    split_p_value,
    t_quantile,
    wilson,
)

ROUNDS = 4000
BAND = (0.935, 0.965)  # 95 %, give or take 4.4 standard errors of 4000 rounds


def callers(random: np.random.Generator, count: int, shift: float, spread: float):
    """Rows and sums of callers, some of whom ask much more than others, whose rows have a caller's own offset."""
    rows = random.geometric(0.15, (ROUNDS, count)).astype(float)
    offsets = random.normal(shift, spread, (ROUNDS, count))
    return rows, rows * offsets + random.normal(0, 1, (ROUNDS, count)) * np.sqrt(rows)


@pytest.mark.parametrize("units", [40, 400])
@pytest.mark.parametrize("spread", [0.0, 1.0], ids=["independent rows", "rows alike"])
def test_the_difference_of_two_arms_is_covered_in_95_of_100(units: int, spread: float) -> None:
    random = np.random.default_rng(7)
    ours, theirs = callers(random, units, 3.0, spread), callers(random, units // 2 + 10, 3.5, spread)
    held = [
        difference(mean_over_units(a, b), mean_over_units(c, d))
        for a, b, c, d in zip(*theirs, *ours, strict=True)
    ]
    share = sum(found.low <= 0.5 <= found.high for found in held) / ROUNDS
    assert BAND[0] <= share <= BAND[1]


def test_intervals_that_take_rows_for_independent_would_be_wrong_here() -> None:
    # What the clusters are for: the same rows, each counted as one unit.
    random = np.random.default_rng(7)
    rows, sums = callers(random, 40, 3.0, 1.0)
    naive = [
        interval(mean_over_rows(n.sum(), s.sum(), n.sum() * (2.0 + (s.sum() / n.sum()) ** 2)))
        for n, s in zip(rows, sums, strict=True)
    ]
    assert sum(found.low <= 3.0 <= found.high for found in naive) / ROUNDS < 0.75


def test_the_mean_of_pairs_is_covered_in_95_of_100() -> None:
    random = np.random.default_rng(11)
    rows, sums = callers(random, 40, -0.25, 1.0)
    held = [interval(mean_over_units(n, s)) for n, s in zip(rows, sums, strict=True)]
    share = sum(found.low <= -0.25 <= found.high for found in held) / ROUNDS
    assert BAND[0] <= share <= BAND[1]


@pytest.mark.parametrize("share", [0.02, 0.3])
def test_a_share_is_covered_in_95_of_100(share: float) -> None:
    counts = np.random.default_rng(3).binomial(500, share, ROUNDS)
    held = [wilson(count / 500, 500) for count in counts]
    assert BAND[0] <= sum(found.low <= share <= found.high for found in held) / ROUNDS <= BAND[1]


# Of printed tables.
STUDENT = [
    (0.9, 5, 1.4759),
    (0.9, 10, 1.3722),
    (0.9, 29, 1.3114),
    (0.9, 200, 1.2858),
    (0.975, 5, 2.5706),
    (0.975, 10, 2.2281),
    (0.975, 29, 2.0452),
    (0.975, 200, 1.9719),
    (0.995, 5, 4.0321),
    (0.995, 10, 3.1693),
    (0.995, 29, 2.7564),
    (0.995, 200, 2.6006),
]


@pytest.mark.parametrize(("probability", "freedom", "expected"), STUDENT)
def test_students_quantiles_are_right(probability: float, freedom: float, expected: float) -> None:
    assert math.isclose(t_quantile(probability, freedom), expected, rel_tol=2e-3)


def test_one_row_for_each_unit_is_the_ordinary_standard_error() -> None:
    values = np.random.default_rng(5).normal(2, 3, 500)
    found = mean_over_units(np.ones(500), values)
    assert math.isclose(found.variance, values.var(ddof=1) / 500, rel_tol=1e-9)
    assert math.isclose(found.value, values.mean(), rel_tol=1e-12)


def test_a_caller_with_nearly_all_rows_leaves_hardly_any_freedom() -> None:
    rows = np.array([10_000.0] + [1.0] * 99)
    assert mean_over_units(rows, rows).effective_units < 1.1


@pytest.mark.parametrize(
    ("observed", "share", "expected"), [(480, 0.1, 0.345779), (558, 0.1, 0.006254226), (2500, 0.5, 1.0)]
)
def test_the_split_is_tested_as_a_chi_square(observed: int, share: float, expected: float) -> None:
    assert math.isclose(split_p_value(observed, 5000, share), expected, rel_tol=1e-4)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_share_of_nothing_or_all_stays_within_its_bounds(share: float) -> None:
    found = wilson(share, 50)
    assert 0 <= found.low <= share <= found.high <= 1
    assert found.high - found.low > 0.05
