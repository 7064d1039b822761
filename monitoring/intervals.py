"""Confidence intervals for rows that are not independent: those of one caller are alike, and callers are what was drawn.

A mean over rows is a ratio of two sums over callers, rows and values. Its variance is the jackknife's over callers (Cochran
1977, chapter 6; the cluster jackknife CV3 of MacKinnon, Nielsen and Webb 2023), which sees that a caller with most of the rows
pulls the mean to himself. Few callers with most of the rows count as few: degrees of freedom come from the effective
number of callers, (sum n)^2 / sum n^2 (Kish 1965), less one. There is no resampling, so the same rows give the same interval.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
# Under these there is no interval: what is known of callers is too little to say how far they differ.
FEWEST_UNITS, FEWEST_EFFECTIVE = 20, 5.0
Numbers = NDArray[np.float64]


class Interval(NamedTuple):
    """An estimate, and where the truth lies with the confidence."""

    estimate: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0


class Mean(NamedTuple):
    """A mean over rows, its variance, of how many units, and how many they are worth, had all of them as many rows."""

    value: float
    variance: float
    units: int
    effective_units: float

    @property
    def is_enough(self) -> bool:
        """For an interval."""
        return self.units >= FEWEST_UNITS and self.effective_units >= FEWEST_EFFECTIVE

    @property
    def is_uneven(self) -> bool:
        """Whether a few units have most of the rows."""
        return 3 * self.effective_units < self.units

    @property
    def quantile(self) -> float:
        """How many standard errors an interval reaches to either side."""
        return t_quantile(0.5 + CONFIDENCE / 2, self.effective_units - 1)


def mean_over_units(rows: Numbers, sums: Numbers) -> Mean:
    """From each unit's number of rows and sum of values, leaving out units without rows. Of one unit the variance is infinite."""
    there = rows > 0
    rows, sums = rows[there], sums[there]
    units, total = len(rows), float(rows.sum())
    if units < 2:
        return Mean(float(sums.sum()) / total if units else math.nan, math.inf, units, float(units))
    value = float(sums.sum()) / total
    moved = (sums - value * rows) / (total - rows)  # what the mean moves by when the unit is left out
    variance = float(np.square(moved).sum()) * (units - 1) / units
    return Mean(value, variance, units, effective(rows))


def effective(counts: Numbers) -> float:
    """How many units of equal size the units are worth; 0 where nothing was counted."""
    total = float(counts.sum())
    return total**2 / float(np.square(counts).sum()) if total else 0.0


def interval(mean: Mean) -> Interval:
    half = mean.quantile * math.sqrt(mean.variance)
    return Interval(mean.value, mean.value - half, mean.value + half)


def difference(of: Mean, to: Mean) -> Interval:
    """`of` - `to`, of independent units: degrees of freedom by Welch and Satterthwaite."""
    variance = of.variance + to.variance
    parts = [(each.variance**2, max(1.0, each.effective_units - 1)) for each in (of, to)]
    spread = sum(squared / freedom for squared, freedom in parts)
    freedom = variance**2 / spread if spread > 0 else math.inf
    half = t_quantile(0.5 + CONFIDENCE / 2, freedom) * math.sqrt(variance)
    estimate = of.value - to.value
    return Interval(estimate, estimate - half, estimate + half)


def t_quantile(probability: float, freedom: float) -> float:
    """Student's, by the expansion of Cornish and Fisher: right to three digits from five degrees of freedom on."""
    z = NormalDist().inv_cdf(probability)
    if math.isinf(freedom):
        return z
    n = max(1.0, freedom)
    terms = (
        (z**3 + z) / 4 / n,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96 / n**2,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384 / n**3,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160 / n**4,
    )
    return z + sum(terms)


def split_p_value(observed: int, total: int, share: float) -> float:
    """How likely a count is at least this far from its share: chi-square with one degree of freedom, both arms counted."""
    expected = total * share
    statistic = (observed - expected) ** 2 / (expected * (1 - share))
    return math.erfc(math.sqrt(statistic / 2))
