"""Stage 4: figures on the test split, overall and by slice, beside two baselines that a model must be worth more than."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
from sklearn.model_selection import RepeatedStratifiedKFold, cross_validate

from modelkit.definition import ModelDefinition, Task
from training.evaluation.baselines import CONSTANT, LINEAR, baseline_outputs
from training.evaluation.diagnostics import (
    Judged,
    answers_table,
    calibration_table,
    over_time_table,
    residuals_table,
)
from training.evaluation.importance import permutation_importance
from training.evaluation.plots import write_plots
from training.evaluation.required_only import has_optional_fields, required_only_features
from training.evaluation.scores import Array, main_metric, outputs_of, score, score_intervals
from training.evaluation.slices import score_slices, slices_table, worst_slice
from training.files import write_json
from training.fitting.cuts import evaluation_cut
from training.fitting.intervals import Intervals, apply, read_intervals
from training.fitting.pipeline_file import load_pipeline
from training.layout import Layout
from training.params import ModelParams
from training.recipes import recipe_of

Figures = dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Model:
    """What is judged. A classifier has no intervals; nor has a regressor that had too few rows for them."""

    definition: ModelDefinition
    pipeline: Any
    intervals: Intervals | None


def evaluate(definition: ModelDefinition, params: ModelParams, layout: Layout) -> str:
    """Writes `metrics.json`, `slices.json`, `plots/` and `pictures/`."""
    features, rows = pd.read_parquet(layout.features), pd.read_parquet(layout.rows)
    pipeline = load_pipeline(layout.evaluated_pipeline)
    model = Model(definition=definition, pipeline=pipeline, intervals=read_intervals(layout.intervals))
    test = _judge(model, features, rows, (features["split"] == "test").to_numpy())
    valid = _judge(model, features, rows, (features["split"] == "valid").to_numpy())
    reach = model.intervals.reach if model.intervals is not None else ()
    slices = score_slices(test, params.evaluate["min_slice_rows"])
    metrics: dict[str, Any] = {
        "overall": score(definition, test.labels, test.outputs),
        "valid": score(definition, valid.labels, valid.outputs),
        "baseline": _baselines(definition, features),
        "worst_slice": worst_slice(definition, slices),
        "rows": {"test": len(test.rows)},
    }
    metrics |= _intervals(test) | _required_only(test, model)
    metrics |= _cross_validation(definition, params, features)
    write_json(layout.metrics, metrics)
    write_json(layout.slices, {"slice": slices})
    tables = {
        "answers": answers_table(test),
        "residuals": residuals_table(test),
        "over_time": over_time_table(test),
        "calibration": calibration_table(test, reach),
        "importance": permutation_importance(definition, pipeline, features[features["split"] == "test"]),
        "slices": slices_table(definition, slices),
    }
    write_plots(definition, tables, layout)
    return _summary(definition, metrics)


def _judge(model: Model, features: pd.DataFrame, rows: pd.DataFrame, chosen: Array) -> Judged:
    frame = features[chosen]
    outputs = outputs_of(model.pipeline, frame, model.definition)
    bounds = None
    if model.intervals is not None:
        matrix = frame[list(model.definition.feature_columns)].to_numpy()
        bounds = apply(model.intervals, matrix, outputs[:, 0])
    return Judged(definition=model.definition, rows=rows[chosen], outputs=outputs, bounds=bounds)


def _baselines(definition: ModelDefinition, features: pd.DataFrame) -> dict[str, Figures]:
    """Fitted on the rows that the judged model was fitted on."""
    judged_on = features[features["split"] == "test"]
    found = baseline_outputs(definition, features[evaluation_cut(features).rows], judged_on)
    labels = judged_on["label"].to_numpy()
    return {name: score(definition, labels, outputs) for name, outputs in found.items()}


def _intervals(judged: Judged) -> dict[str, Figures]:
    if judged.bounds is None:
        return {}
    stated = {"stated": judged.definition.interval_coverage}
    return {"interval": score_intervals(judged.labels, judged.bounds) | stated}


def _required_only(judged: Judged, model: Model) -> dict[str, Figures]:
    """The same test rows, sent by somebody who leaves out whatever may be left out."""
    definition = judged.definition
    if not has_optional_fields(definition):
        return {}
    features = required_only_features(definition, judged.rows)
    outputs = outputs_of(model.pipeline, features, definition)
    figures = score(definition, judged.labels, outputs)
    if model.intervals is not None:
        bounds = apply(model.intervals, features.to_numpy(), outputs[:, 0])
        figures |= score_intervals(judged.labels, bounds)
    return {"required_only": figures}


def _cross_validation(
    definition: ModelDefinition, params: ModelParams, features: pd.DataFrame
) -> dict[str, Any]:
    """For small classifiers: one split of 30 rows says little, 50 of them say more."""
    knobs = params.evaluate
    if definition.task is not Task.CLASSIFICATION or not knobs["folds"]:
        return {}
    seed = params.train["seed"]
    splitter = RepeatedStratifiedKFold(n_splits=knobs["folds"], n_repeats=knobs["repeats"], random_state=seed)
    estimator = recipe_of(definition).make_estimator(params.train, seed)
    matrix = features[list(definition.feature_columns)]
    found = cross_validate(
        estimator, matrix, features["label"], cv=splitter, scoring=["accuracy", "neg_log_loss"], n_jobs=1
    )
    accuracy = found["test_accuracy"]
    figures = {
        "accuracy": float(accuracy.mean()),
        "accuracy_std": float(accuracy.std()),
        "log_loss": float(-found["test_neg_log_loss"].mean()),
    }
    return {"cross_validation": figures}


def _summary(definition: ModelDefinition, metrics: dict[str, Any]) -> str:
    main, baseline = main_metric(definition), metrics["baseline"]
    return (
        f"{main} {metrics['overall'][main]:.4g} on {metrics['rows']['test']} test rows "
        f"(linear {baseline[LINEAR][main]:.4g}, constant {baseline[CONSTANT][main]:.4g})"
    )
