"""How far the truth may lie from a prediction: locally weighted split conformal intervals.

A small model of the size of the error says how hard a row is; two factors, one a side, widen it until the stated share of
held-out truths lies inside. The method is that of Lei, G'Sell, Rinaldo, Tibshirani and Wasserman (2018), "Distribution-Free
Predictive Inference for Regression", JASA 113, 1094-1111, section 5.2, as MAPIE's `ResidualNormalisedScore` has it; ours
has a factor for each side, loses no rows to the fit of the error's size, and compiles into the model's graph.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from catboost import CatBoostRegressor
from sklearn.model_selection import GroupKFold

from training.evaluation.scores import Array
from training.files import read_json, write_json

FOLDS = 5
LEAST_ROWS = 100  # with fewer, the tails are a handful of rows
# An error of zero has no logarithm: this share of the median error is added to each.
FLOOR_SHARE = 0.25
# Shares of truths for which an interval also knows how far they lie, in units of its arms: a curve for the report.
STATED = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
SCALE_FILE, FACTS_FILE = "scale.cbm", "intervals.json"


@dataclass(frozen=True, kw_only=True)
class Intervals:
    """`scale` predicts the logarithm of the error's size from the features and, last, the prediction.

    A bound lies `lower` or `upper` times that size from the prediction, and no bound lies below `least`. `reach` has how many
    arms hold each of the STATED shares of truths.
    """

    scale: CatBoostRegressor
    lower: float
    upper: float
    coverage: float
    rows: int
    least: float | None
    reach: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Rows that the model never saw: their features as a matrix, its answers, the truth and, where given, weights.

    `origins` tells copies of a row, as callers send it who know less, from other rows. `clocks` are columns that only ever
    grow: a size that is learnt from them ends with the rows that it was learnt from, so they are not looked at.
    """

    features: Array
    predictions: Array
    labels: Array
    weights: Array | None = None
    origins: Array | None = None
    clocks: tuple[int, ...] = ()


def calibrate(held_out: Calibration, *, coverage: float, least: float | None) -> Intervals | None:
    """None where the rows are too few to say anything about tails.

    The size of each row's error is predicted by a model that saw neither the row nor a copy of it; the one that serves
    sees all of them.
    """
    rows = len(held_out.labels)
    weights = np.ones(rows) if held_out.weights is None else held_out.weights
    origins = np.arange(rows) if held_out.origins is None else held_out.origins
    if len(np.unique(origins)) < LEAST_ROWS:
        return None
    inputs = _inputs(held_out.features, held_out.predictions)
    inputs[:, list(held_out.clocks)] = 0.0
    residuals = held_out.labels.astype(np.float64) - held_out.predictions
    floor = max(FLOOR_SHARE * float(np.median(np.abs(residuals))), np.finfo(np.float32).eps)
    sizes = np.log(np.abs(residuals) + floor)
    relative = np.empty(rows)
    folds = GroupKFold(FOLDS, shuffle=True, random_state=0)
    for fitted, judged in folds.split(inputs, groups=origins):
        model = _scale_model(coverage).fit(inputs[fitted], sizes[fitted], sample_weight=weights[fitted])
        relative[judged] = residuals[judged] / np.exp(model.predict(inputs[judged]))
    tail = 1 - (1 - coverage) / 2
    lower, upper = (max(_quantile(sign * relative, weights, tail), 0.0) for sign in (-1, 1))
    return Intervals(
        scale=_scale_model(coverage).fit(inputs, sizes, sample_weight=weights),
        lower=lower,
        upper=upper,
        coverage=coverage,
        rows=rows,
        least=least,
        reach=_reach(relative, weights, lower, upper),
    )


def apply(intervals: Intervals, features: Array, predictions: Array) -> Array:
    """Lower and upper bound of each row: (rows, 2), around predictions that are not below `least`."""
    size = np.exp(intervals.scale.predict(_inputs(features, predictions)))
    bounds = np.stack([predictions - intervals.lower * size, predictions + intervals.upper * size], axis=1)
    return bounds if intervals.least is None else np.maximum(bounds, intervals.least)


def write_intervals(intervals: Intervals | None, folder: Path) -> None:
    """A folder also where there are none, so that a stage always leaves the same files."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SCALE_FILE).unlink(missing_ok=True)
    if intervals is None:
        write_json(folder / FACTS_FILE, {"rows": 0})
        return
    intervals.scale.save_model(str(folder / SCALE_FILE))
    names = ("lower", "upper", "coverage", "rows", "least", "reach")
    write_json(folder / FACTS_FILE, {name: getattr(intervals, name) for name in names})


def read_intervals(folder: Path) -> Intervals | None:
    facts = read_json(folder / FACTS_FILE)
    if not facts["rows"]:
        return None
    scale = CatBoostRegressor().load_model(str(folder / SCALE_FILE))
    return Intervals(scale=scale, **facts | {"reach": tuple(facts["reach"])})


def _reach(relative: Array, weights: Array, lower: float, upper: float) -> tuple[float, ...]:
    """An arm of no length is taken to be tiny."""
    arms = np.maximum(np.where(relative < 0, lower, upper), 1e-9)
    return tuple(_quantile(np.abs(relative) / arms, weights, share) for share in STATED)


def _inputs(features: Array, predictions: Array) -> Array:
    """In float32, as the compiled model sees them."""
    matrix = np.column_stack([np.asarray(features), predictions])
    return np.ascontiguousarray(matrix, dtype=np.float32)


def _scale_model(coverage: float) -> CatBoostRegressor:
    """Small on purpose: every request waits for it, and what it learns from is noisy.

    It learns the size below which the stated share of errors stays, not their mean: where a few rows go far wrong, as among
    requests with gaps, the two are not in proportion.
    """
    return CatBoostRegressor(
        iterations=80,
        depth=3,
        learning_rate=0.08,
        l2_leaf_reg=10.0,
        loss_function=f"Quantile:alpha={coverage}",
        random_seed=0,
        thread_count=1,
        verbose=0,
        allow_writing_files=False,
    )


def _quantile(values: Array, weights: Array, level: float) -> float:
    """The smallest value that covers the level, a row yet to come being counted as lying beyond all of them."""
    order = np.argsort(values, kind="stable")
    shares = np.cumsum(weights[order]) / (weights.sum() + weights.mean())
    place = min(int(np.searchsorted(shares, level - 1e-12)), len(values) - 1)
    return float(values[order[place]])
