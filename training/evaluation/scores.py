"""How good answers are: the same figures for a model, its baselines, its slices and its champion."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, f1_score, log_loss, r2_score

from modelkit.definition import ModelDefinition, Task

Array = NDArray[Any]
CALIBRATION_BINS = 10


def outputs_of(pipeline: Any, features: pd.DataFrame, definition: ModelDefinition) -> Array:
    """What the compiled graph gives: one column of predictions, or a probability per class."""
    matrix = features[list(definition.feature_columns)]
    if definition.task is Task.REGRESSION:
        answers = np.asarray(pipeline.predict(matrix)).reshape(-1, 1)
        return answers if definition.least is None else np.maximum(answers, definition.least)
    return np.asarray(pipeline.predict_proba(matrix))


def score(definition: ModelDefinition, labels: Array, outputs: Array) -> dict[str, float]:
    """Figures by name; for a regressor in the model's units."""
    if definition.task is Task.REGRESSION:
        return _score_regression(labels.astype(np.float64), outputs[:, 0].astype(np.float64))
    return _score_classification(labels.astype(str), outputs.astype(np.float64), definition.classes)


def score_intervals(labels: Array, bounds: Array) -> dict[str, float]:
    """How often the truth lay within, and how much room that took; `bounds` has a lower and an upper column."""
    labels, lower, upper = labels.astype(np.float64), bounds[:, 0], bounds[:, 1]
    return {
        "coverage": float(((labels >= lower) & (labels <= upper)).mean()),
        "mean_width": float((upper - lower).mean()),
    }


def losses(definition: ModelDefinition, labels: Array, outputs: Array) -> Array:
    """What each row costs: the absolute error of a regressor, the log loss of a classifier."""
    if definition.task is Task.REGRESSION:
        return np.asarray(np.abs(outputs[:, 0].astype(np.float64) - labels.astype(np.float64)))
    places = {name: place for place, name in enumerate(definition.classes)}
    chosen = outputs[np.arange(len(labels)), [places[str(label)] for label in labels]]
    return np.asarray(-np.log(np.clip(chosen.astype(np.float64), 1e-15, 1.0)))


def main_metric(definition: ModelDefinition) -> str:
    """The figure that slices, baselines and champions are compared by."""
    return "mae" if definition.task is Task.REGRESSION else "accuracy"


def slices_of(rows: pd.DataFrame, definition: ModelDefinition, min_rows: int) -> Iterator[tuple[str, Array]]:
    """`city=urban` and its row mask, for every value of every slice column that enough rows have; gaps are a value too."""
    columns = {name: rows[name] for name in definition.slices}
    if definition.task is Task.CLASSIFICATION:
        columns["label"] = rows["label"]
    for name, column in columns.items():
        values = column.astype(object).where(column.notna(), "missing").map(_slice_value)
        for value, count in values.value_counts().sort_index().items():
            if count >= min_rows:
                yield f"{name}={value}", (values == value).to_numpy()


def _slice_value(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _score_regression(labels: Array, predictions: Array) -> dict[str, float]:
    errors = np.abs(predictions - labels)
    return {
        "mae": float(errors.mean()),
        "rmse": float(np.sqrt((errors**2).mean())),
        "r2": float(r2_score(labels, predictions)) if len(labels) > 1 else 0.0,
        "bias": float((predictions - labels).mean()),
        "median_abs_error": float(np.median(errors)),
        "p95_abs_error": float(np.quantile(errors, 0.95)),
        "p99_abs_error": float(np.quantile(errors, 0.99)),
        "max_abs_error": float(errors.max()),
    }


def _score_classification(labels: Array, probabilities: Array, classes: tuple[str, ...]) -> dict[str, float]:
    chosen = np.asarray(classes)[probabilities.argmax(axis=1)]
    shares = probabilities / probabilities.sum(axis=1, keepdims=True)
    truth = labels[:, np.newaxis] == np.asarray(classes)
    return {
        "accuracy": float(accuracy_score(labels, chosen)),
        "macro_f1": float(f1_score(labels, chosen, average="macro", zero_division=0.0)),
        "log_loss": float(log_loss(labels, shares, labels=list(classes))),
        "brier": float(((shares - truth) ** 2).sum(axis=1).mean()),
        "calibration_error": expected_calibration_error(shares.max(axis=1), chosen == labels),
    }


def expected_calibration_error(confidence: Array, correct: Array) -> float:
    """Mean distance between what answers claim and how often they hold, over ten bins of equal width."""
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    gaps = np.bincount(bins, weights=confidence - correct, minlength=CALIBRATION_BINS)
    return float(np.abs(gaps).sum() / len(confidence))
