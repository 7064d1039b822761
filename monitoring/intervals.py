"""Confidence intervals for rows that are not independent: those of one caller are alike, and callers are what was drawn.

A mean over rows is a ratio of two sums over callers, rows and values. Its variance is that of the linearised ratio (the delta
method, as in Deng, Knoblich and Lu, "Applying the Delta Method in Metric Analytics", KDD 2018; in survey statistics, Cochran
1977, chapter 6). Few callers with most of the rows count as few: degrees of freedom come from the effective number of
clusters, (sum n)^2 / sum n^2 (Kish 1965). There is no resampling, so the same rows give the same interval.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
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
    """A mean over rows, its variance, and how many independent units it is worth."""

    value: float
    variance: float
    units: int
    effective_units: float


def mean_over_units(rows: Numbers, sums: Numbers) -> Mean:
    """From each unit's number of rows and sum of values; units without rows are left out. At least two must be left."""
    there = rows > 0
    rows, sums = rows[there], sums[there]
    units, total = len(rows), float(rows.sum())
    value = float(sums.sum()) / total
    left = sums - value * rows
    variance = float(np.square(left).sum()) * units / ((units - 1) * total**2)
    return Mean(value, variance, units, total**2 / float(np.square(rows).sum()))


def mean_over_rows(count: float, total: float, squares: float) -> Mean:
    """For rows that are taken as independent."""
    value = total / count
    spread = max(0.0, squares / count - value**2)
    return Mean(value, spread / (count - 1), int(count), count)


def interval(mean: Mean, *, confidence: float = CONFIDENCE) -> Interval:
    half = t_quantile(0.5 + confidence / 2, mean.effective_units - 1) * math.sqrt(mean.variance)
    return Interval(mean.value, mean.value - half, mean.value + half)


def difference(of: Mean, to: Mean, *, confidence: float = CONFIDENCE) -> Interval:
    """`of` - `to`, of independent units: degrees of freedom by Welch and Satterthwaite."""
    variance = of.variance + to.variance
    parts = [(each.variance**2, max(1.0, each.effective_units - 1)) for each in (of, to)]
    spread = sum(squared / freedom for squared, freedom in parts)
    freedom = variance**2 / spread if spread > 0 else math.inf
    half = t_quantile(0.5 + confidence / 2, freedom) * math.sqrt(variance)
    estimate = of.value - to.value
    return Interval(estimate, estimate - half, estimate + half)


def wilson(share: float, count: float, *, confidence: float = CONFIDENCE) -> Interval:
    """Of a share among `count` rows (Wilson 1927), which may be the number that they are worth (Korn and Graubard 1998)."""
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count**2))
    low = 0.0 if share == 0 else max(0.0, middle - half)
    return Interval(share, low, 1.0 if share == 1 else min(1.0, middle + half))


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
