"""Intervals that hold what they say: the truth lies in 95 of 100, also where the rows of one caller are alike."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from monitoring.intervals import (
    FEWEST_EFFECTIVE,
    FEWEST_UNITS,
    Interval,
    difference,
    effective,
    interval,
    mean_over_units,
    split_p_value,
    t_quantile,
)
from monitoring.shares import paired_difference, share_difference, share_interval, share_over_units, wilson

ROUNDS = 1500
BAND = (0.93, 0.97)  # 95 %, give or take 3.5 standard errors of 1500 rounds
Sizes = Callable[[np.random.Generator, int], np.ndarray]


def alike(random: np.random.Generator, count: int) -> np.ndarray:
    return np.full((ROUNDS, count), 50.0)


def unequal(random: np.random.Generator, count: int) -> np.ndarray:
    return random.geometric(0.15, (ROUNDS, count)).astype(float)


def heavy(random: np.random.Generator, count: int) -> np.ndarray:
    """Pareto's with exponent 1, which has no mean: the busiest caller may have more rows than all others."""
    return np.minimum(np.ceil(random.pareto(1.0, (ROUNDS, count)) * 3 + 1), 1e6)


def callers(random: np.random.Generator, rows: np.ndarray, shift: float, spread: float):
    """Rows and sums of callers, whose rows have a caller's own offset."""
    offsets = random.normal(shift, spread, rows.shape)
    return rows, rows * offsets + random.normal(0, 1, rows.shape) * np.sqrt(rows)


def wrong(random: np.random.Generator, rows: np.ndarray, share: float, likeness: float):
    """Rows and wrong rows of callers, whose own shares differ the more, the more alike a caller's rows are."""
    more = 1 / likeness - 1 if likeness else 0.0
    own = (
        random.beta(share * more, (1 - share) * more, rows.shape) if likeness else np.full(rows.shape, share)
    )
    return rows, random.binomial(rows.astype(int), own).astype(float)


def covered(truth: float, found: list[Interval]) -> float:
    return sum(each.low <= truth <= each.high for each in found) / len(found)


@pytest.mark.parametrize("units", [20, 400])
@pytest.mark.parametrize("sizes", [alike, unequal, heavy], ids=["alike", "unequal", "heavy"])
@pytest.mark.parametrize("spread", [0.0, 1.0], ids=["independent rows", "rows alike"])
def test_means_and_their_difference_are_covered_in_95_of_100(units: int, sizes: Sizes, spread: float) -> None:
    random = np.random.default_rng(7)
    ours = callers(random, sizes(random, units), 3.0, spread)
    theirs = callers(random, sizes(random, units), 3.5, spread)
    production, challenger = (
        [mean_over_units(rows, sums) for rows, sums in zip(*arm, strict=True)] for arm in (ours, theirs)
    )
    pairs = [(a, b) for a, b in zip(challenger, production, strict=True) if a.is_enough and b.is_enough]
    means = covered(3.0, [interval(mean) for mean in production if mean.is_enough])
    differences = covered(0.5, [difference(a, b) for a, b in pairs])
    assert len(pairs) > 100
    # Where rows are independent, callers with most of them leave it wider than it had to be.
    most = 1.0 if sizes is heavy else BAND[1] + 0.01
    assert BAND[0] - (0.01 if sizes is heavy else 0.0) <= means <= most
    assert BAND[0] - (0.01 if sizes is heavy else 0.0) <= differences <= most


def test_skewed_callers_are_covered_less_and_the_more_the_better() -> None:
    """What docs/comparison.md says of it, and no more."""
    random = np.random.default_rng(5)
    shares = []
    for units in (20, 400):
        rows = unequal(random, units)
        sums = rows * random.exponential(1.0, rows.shape)
        means = [mean_over_units(n, s) for n, s in zip(rows, sums, strict=True)]
        shares.append(covered(1.0, [interval(mean) for mean in means]))
    assert 0.87 <= shares[0] <= 0.93 <= shares[1] <= 0.97


def test_intervals_that_take_rows_for_independent_would_be_wrong_here() -> None:
    # What the clusters are for: the same rows, each counted as one unit.
    random = np.random.default_rng(7)
    rows, sums = callers(random, unequal(random, 40), 3.0, 1.0)
    counts, totals = rows.sum(1), sums.sum(1)
    half = 1.96 * np.sqrt(2.0 / counts)
    assert np.mean(np.abs(totals / counts - 3.0) <= half) < 0.75


@pytest.mark.parametrize("share", [0.02, 0.3])
def test_a_share_of_independent_rows_is_covered_in_95_of_100(share: float) -> None:
    counts = np.random.default_rng(3).binomial(500, share, 4 * ROUNDS)
    assert BAND[0] <= covered(share, [wilson(count / 500, 500, 1.96) for count in counts]) <= BAND[1]


@pytest.mark.parametrize("units", [20, 400])
@pytest.mark.parametrize("likeness", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("share", [0.002, 0.02, 0.3])
def test_error_rates_are_covered_in_92_of_100_or_more(units: int, likeness: float, share: float) -> None:
    random = np.random.default_rng(9)
    arms = [wrong(random, unequal(random, units), each, likeness) for each in (share, 2 * share)]
    production, challenger = (
        [share_over_units(rows, hits) for rows, hits in zip(*arm, strict=True)] for arm in arms
    )
    differences = [share_difference(a, b) for a, b in zip(challenger, production, strict=True)]
    assert covered(share, [share_interval(each) for each in production]) >= 0.92
    assert covered(share, differences) >= 0.92


@pytest.mark.parametrize("units", [20, 400])
@pytest.mark.parametrize("likeness", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("share", [0.002, 0.02, 0.3])
def test_paired_error_rates_are_covered_in_92_of_100_or_more(
    units: int, likeness: float, share: float
) -> None:
    random = np.random.default_rng(9)
    rows, discordant = wrong(random, unequal(random, units), share, likeness)
    theirs = random.binomial(discordant.astype(int), 1 / 3)
    found = [paired_difference(*each) for each in zip(rows, discordant - 2 * theirs, discordant, strict=True)]
    assert covered(share / 3, found) >= 0.92


def test_nothing_seen_is_worth_as_many_rows_as_callers() -> None:
    rows, none = np.full(30, 100.0), np.zeros(30)
    share = share_over_units(rows, none)
    assert share.worth == 30
    assert 0.1 < share_interval(share).high < 0.13
    both = share_difference(share, share)
    assert both.low == -both.high < -0.1
    paired = paired_difference(rows, none, none)
    assert paired.low == -paired.high < -0.08
    everything = share_interval(share_over_units(rows, rows))
    assert (everything.high, everything.low < 0.9) == (1.0, True)


def test_few_callers_and_few_who_ask_are_not_enough() -> None:
    assert mean_over_units(np.ones(FEWEST_UNITS), np.ones(FEWEST_UNITS)).is_enough
    assert not mean_over_units(np.ones(FEWEST_UNITS - 1), np.ones(FEWEST_UNITS - 1)).is_enough
    rows = np.array([1000.0] * 4 + [1.0] * 96)
    found = mean_over_units(rows, rows)
    assert found.effective_units < FEWEST_EFFECTIVE
    assert not found.is_enough
    assert found.is_uneven
    assert not mean_over_units(np.array([5.0]), np.array([1.0])).is_enough
    assert not mean_over_units(np.zeros(3), np.zeros(3)).is_enough
    assert effective(np.zeros(3)) == 0


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
    found = wilson(share, 50, 1.96)
    assert 0 <= found.low <= share <= found.high <= 1
    assert found.high - found.low > 0.05
