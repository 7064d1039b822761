"""Confidence intervals of shares of rows, such as error rates, that know what nothing seen is worth.

The variance of a share that is 0 or 1 is 0, which is no certainty. So a share has Wilson's interval (1927), two arms
Newcombe's difference of those (1998), and two versions on the same rows Bonett and Price's (2012) from rows that only one of them
got wrong. Rows count as many as they are worth (Korn and Graubard 1998): the number of independent rows that would vary as
much.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from monitoring.intervals import Interval, Mean, Numbers, effective, mean_over_units

# Fewer callers that a share comes from say nothing about how alike a caller's rows are: then each caller is one row.
FEWEST_WITH = 10.0


class Share(NamedTuple):
    """A share of rows, and how many independent rows that is worth."""

    mean: Mean
    worth: float


def share_over_units(rows: Numbers, hits: Numbers) -> Share:
    """From each unit's number of rows, and how many of them count."""
    mean = mean_over_units(rows, hits)
    spread = mean.value * (1 - mean.value)
    return Share(mean, _worth(mean, spread, rows, min(effective(hits), effective(rows - hits))))


def share_interval(share: Share) -> Interval:
    return wilson(share.mean.value, share.worth, share.mean.quantile)


def share_difference(of: Share, to: Share) -> Interval:
    """`of` - `to`, of independent units."""
    ours, theirs = share_interval(of), share_interval(to)
    estimate = ours.estimate - theirs.estimate
    below = math.hypot(ours.estimate - ours.low, theirs.high - theirs.estimate)
    above = math.hypot(ours.high - ours.estimate, theirs.estimate - theirs.low)
    return Interval(estimate, estimate - below, estimate + above)


def paired_difference(rows: Numbers, sums: Numbers, discordant: Numbers) -> Interval:
    """From each unit's rows, its rows that only ours has less those that only theirs has, and how many these are together."""
    mean, total = mean_over_units(rows, sums), float(rows.sum())
    apart = float(discordant.sum()) / total
    worth = _worth(mean, apart - mean.value**2, rows, effective(discordant))
    ours = (worth * (apart + mean.value) / 2 + 1) / (worth + 2)
    theirs = (worth * (apart - mean.value) / 2 + 1) / (worth + 2)
    half = mean.quantile * math.sqrt((ours + theirs - (ours - theirs) ** 2) / (worth + 2))
    return Interval(mean.value, ours - theirs - half, ours - theirs + half)


def _worth(mean: Mean, spread: float, rows: Numbers, units_with: float) -> float:
    """Never more rows than there are."""
    there = float(np.sum(rows))
    worth = min(there, spread / mean.variance) if mean.variance > 0 else there
    return worth if units_with >= FEWEST_WITH else min(worth, mean.effective_units)


def wilson(share: float, count: float, quantile: float) -> Interval:
    """Of a share among `count` rows."""
    z = quantile
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count**2))
    low = 0.0 if share == 0 else max(0.0, middle - half)
    return Interval(share, low, 1.0 if share == 1 else min(1.0, middle + half))
