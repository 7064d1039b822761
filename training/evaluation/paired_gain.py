"""By how much one model errs less than another on the same rows, and how far chance alone could have moved that."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from training.evaluation.scores import Array

RESAMPLES = 500
BAND = (0.05, 0.95)  # nine in ten draws of the rows


@dataclass(frozen=True, kw_only=True)
class Gain:
    """The part by which the error is smaller, and its band. Without rows to draw from there is no band."""

    share: float
    low: float | None = None
    high: float | None = None


def losses_of(metric: str, labels: Array, answers: Array) -> Array:
    """What each row adds to the error: its distance, its square, or 1 for a wrong class."""
    if metric == "accuracy":
        return np.asarray(answers != labels, dtype="float64")
    distances: Array = np.abs(answers.astype("float64") - labels.astype("float64"))
    return np.square(distances) if metric == "rmse" else distances


def error_of(metric: str, losses: Array) -> float:
    mean = float(losses.mean())
    return math.sqrt(mean) if metric == "rmse" else mean


def figure_of(metric: str, losses: Array) -> float:
    """As people know it: classes are counted when they are right."""
    return 1 - error_of(metric, losses) if metric == "accuracy" else error_of(metric, losses)


def paired_gain(metric: str, ours: Array, theirs: Array) -> Gain:
    """Rows are drawn anew for both at once, because a hard row is hard for both."""
    rows = len(ours)
    counts = np.random.default_rng(0).multinomial(rows, np.full(rows, 1 / rows), size=RESAMPLES)
    drawn = _smaller_by(metric, counts @ ours, counts @ theirs)
    low, high = np.quantile(drawn, BAND)
    whole = _smaller_by(metric, ours.sum(keepdims=True), theirs.sum(keepdims=True))
    return Gain(share=float(whole[0]), low=float(low), high=float(high))


def _smaller_by(metric: str, ours: Array, theirs: Array) -> Array:
    """Beside a model without any error there is nothing to gain."""
    ratio = np.divide(ours, theirs, out=np.ones_like(theirs), where=theirs > 0)
    return np.asarray(1 - (np.sqrt(ratio) if metric == "rmse" else ratio))
