"""How fast something grows: a robust line through samples, and how steep it might be, by resampling what it leaves over."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES, BLOCK, MOST_POINTS = 300, 6, 120
SEED = 20260

Numbers = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Slope:
    """Per unit of time. `upper` is the end of the 95 % interval that matters."""

    value: float
    upper: float


def slope(times: Numbers, values: Numbers) -> Slope:
    """Theil and Sen's line; neighbours in time resemble each other, so its residuals are resampled in blocks."""
    times, values = _thinned(times), _thinned(values)
    value = _theil_sen(times, values)
    fitted = value * times + np.median(values - value * times)
    residuals, chance = values - fitted, np.random.default_rng(SEED)
    block = min(BLOCK, max(1, len(times) // 4))
    found = [_theil_sen(times, fitted + _resampled(residuals, block, chance)) for _ in range(RESAMPLES)]
    return Slope(value=value, upper=float(np.quantile(found, 0.95)))


def _theil_sen(times: Numbers, values: Numbers) -> float:
    """The median of the slopes between any two points."""
    first, second = np.triu_indices(len(times), 1)
    return float(np.median((values[second] - values[first]) / (times[second] - times[first])))


def _resampled(residuals: Numbers, block: int, chance: np.random.Generator) -> Numbers:
    starts = chance.integers(0, len(residuals) - block + 1, size=-(-len(residuals) // block))
    return np.concatenate([residuals[start : start + block] for start in starts])[: len(residuals)]


def _thinned(values: Numbers) -> Numbers:
    """Medians of neighbours, at most `MOST_POINTS` of them."""
    width = -(-len(values) // MOST_POINTS)
    return np.array([np.median(values[at : at + width]) for at in range(0, len(values), width)])
