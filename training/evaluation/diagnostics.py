"""A model's answers on rows it never saw, and the tables that plots and reports draw from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from modelkit.definition import ModelDefinition, Task
from training.evaluation.scores import CALIBRATION_BINS, Array
from training.fitting.intervals import STATED

SHOWN_ROWS = 500
DAYS_BY_DAY, DAYS_BY_WEEK = 21, 200  # spans up to which a curve over time has a point a day, or a week


@dataclass(frozen=True, kw_only=True)
class Judged:
    """Prepared rows, the model's outputs for them and, for a regressor, their lower and upper bounds."""

    definition: ModelDefinition
    rows: pd.DataFrame
    outputs: Array
    bounds: Array | None = None

    @property
    def labels(self) -> Array:
        return np.asarray(self.rows["label"].to_numpy())

    @property
    def answers(self) -> Array:
        """The prediction of a regressor, the most probable class of a classifier."""
        if self.definition.task is Task.REGRESSION:
            return np.asarray(self.outputs[:, 0].astype(np.float64))
        return np.asarray(np.take(self.definition.classes, self.outputs.argmax(axis=1)))

    @property
    def errors(self) -> Array:
        """Prediction minus truth of a regressor; 1 where a classifier is wrong."""
        if self.definition.task is Task.REGRESSION:
            return np.asarray(self.answers - self.labels.astype(np.float64))
        return np.asarray((self.answers != self.labels.astype(str)).astype(np.float64))


def answers_table(judged: Judged) -> pd.DataFrame:
    """Actual and predicted, evenly spaced over the rows."""
    table = pd.DataFrame({"actual": judged.labels, "predicted": judged.answers})
    return _thinned(table)


def residuals_table(judged: Judged) -> pd.DataFrame:
    """The error beside the prediction; beside its own confidence where the answer is a class."""
    if judged.definition.task is Task.REGRESSION:
        return _thinned(pd.DataFrame({"predicted": judged.answers, "residual": judged.errors}))
    return _thinned(pd.DataFrame({"predicted": judged.outputs.max(axis=1), "residual": judged.errors}))


def over_time_table(judged: Judged) -> pd.DataFrame:
    """Mean absolute error (share of wrong answers), bias and rows per day, week or month; one row where there is no time."""
    time = judged.rows["time"].reset_index(drop=True)
    frame = pd.DataFrame({"period": periods(time), "bias": judged.errors})
    frame = frame.assign(error=frame["bias"].abs(), rows=1)
    return frame.groupby("period", as_index=False).agg(
        error=("error", "mean"), bias=("bias", "mean"), rows=("rows", "sum")
    )


def periods(time: pd.Series) -> pd.Series:
    """The first day of each row's day, week or month, as text; `all` where no row has a time."""
    if time.isna().all():
        return pd.Series("all", index=time.index)
    days = (time.max() - time.min()).days
    unit = "D" if days <= DAYS_BY_DAY else "W" if days <= DAYS_BY_WEEK else "M"
    return time.dt.to_period(unit).dt.start_time.dt.strftime("%Y-%m-%d").fillna("no time")


def calibration_table(judged: Judged, reach: tuple[float, ...]) -> pd.DataFrame:
    """What was stated beside what was observed: coverage of intervals, or probabilities of classes.

    Intervals are stated at one coverage; here they are widened or narrowed to others, as far as calibration found that their
    arms `reach`.
    """
    if judged.definition.task is Task.CLASSIFICATION:
        return _reliability(judged)
    if judged.bounds is None:
        return pd.DataFrame({"stated": [], "observed": [], "rows": []})
    found = _relative_errors(judged)
    observed = [float((found <= factor).mean()) for factor in reach]
    return pd.DataFrame({"stated": STATED, "observed": observed, "rows": len(found)})


def _relative_errors(judged: Judged) -> Array:
    """The distance of the truth from the prediction, in units of the interval's arm on its side."""
    assert judged.bounds is not None
    lower, upper = judged.bounds[:, 0], judged.bounds[:, 1]
    arm = np.where(judged.errors > 0, judged.answers - lower, upper - judged.answers)
    return np.asarray(np.abs(judged.errors) / np.maximum(arm, 1e-9))


def _reliability(judged: Judged) -> pd.DataFrame:
    """Every class of every row is one statement."""
    truth = judged.labels.astype(str)[:, np.newaxis] == np.asarray(judged.definition.classes)
    frame = pd.DataFrame({"stated": judged.outputs.ravel().astype(np.float64), "observed": truth.ravel()})
    bins = np.minimum((frame["stated"] * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    grouped = frame.assign(observed=frame["observed"].astype(float), rows=1).groupby(bins)
    return grouped.agg({"stated": "mean", "observed": "mean", "rows": "sum"}).reset_index(drop=True)


def _thinned(table: pd.DataFrame) -> pd.DataFrame:
    chosen = np.unique(np.linspace(0, len(table) - 1, min(SHOWN_ROWS, len(table))).round().astype(int))
    return table.iloc[chosen].reset_index(drop=True)
