"""Stage 4: figures on the test split, overall and by slice, beside two baselines that a model must be worth more than."""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from modelkit.definition import ModelDefinition, Task
from training.files import write_json
from training.layout import Layout
from training.params import ModelParams
from training.pipeline_file import load_pipeline
from training.plots import write_plots
from training.recipes import recipe_of
from training.scores import Array, main_metric, outputs_of, score, slices_of


def evaluate(definition: ModelDefinition, params: ModelParams, layout: Layout) -> str:
    """Writes `metrics.json`, `slices.json` and `plots/`."""
    features, rows = pd.read_parquet(layout.features), pd.read_parquet(layout.rows)
    pipeline = load_pipeline(layout.pipeline)
    test = (features["split"] == "test").to_numpy()
    labels = features.loc[test, "label"].to_numpy()
    outputs = outputs_of(pipeline, features[test], definition)
    slices = _score_slices(definition, rows[test], outputs, params.evaluate["min_slice_rows"])
    valid = features[features["split"] == "valid"]
    metrics: dict[str, Any] = {
        "overall": score(definition, labels, outputs),
        "valid": score(definition, valid["label"].to_numpy(), outputs_of(pipeline, valid, definition)),
        "baseline": _baselines(definition, features, test),
        "worst_slice": _worst(definition, slices),
        "rows": {"test": int(test.sum())},
    }
    metrics |= _cross_validation(definition, params, features)
    write_json(layout.metrics, metrics)
    write_json(layout.slices, {"slice": slices})
    write_plots(definition, labels, outputs, layout.plots)
    return _summary(definition, metrics)


def _score_slices(
    definition: ModelDefinition, rows: pd.DataFrame, outputs: Array, min_rows: int
) -> dict[str, dict[str, float]]:
    labels = rows["label"].to_numpy()
    main = main_metric(definition)
    return {
        name: {main: score(definition, labels[mask], outputs[mask])[main], "rows": int(mask.sum())}
        for name, mask in slices_of(rows, definition, min_rows)
    }


def _worst(definition: ModelDefinition, slices: dict[str, dict[str, float]]) -> dict[str, float]:
    main = main_metric(definition)
    figures = [figure[main] for figure in slices.values()]
    worst = max if definition.task is Task.REGRESSION else min
    return {main: worst(figures)} if figures else {}


def _baselines(
    definition: ModelDefinition, features: pd.DataFrame, test: Array
) -> dict[str, dict[str, float]]:
    """A constant, and a line through the same features."""
    if definition.task is Task.REGRESSION:
        models = {"constant": DummyRegressor(strategy="median"), "linear": LinearRegression()}
    else:
        models = {"constant": DummyClassifier(strategy="prior"), "linear": LogisticRegression(max_iter=1000)}
    rows, main = features[features["split"] == "train"], main_metric(definition)
    scores = {}
    for name, model in models.items():
        pipeline = make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler(), model)
        pipeline.fit(rows[list(definition.feature_columns)], rows["label"])
        outputs = outputs_of(pipeline, features[test], definition)
        scores[name] = {main: score(definition, features.loc[test, "label"].to_numpy(), outputs)[main]}
    return scores


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
    found = cross_val_score(estimator, matrix, features["label"], cv=splitter, scoring="accuracy", n_jobs=1)
    return {"cross_validation": {"accuracy": float(found.mean()), "accuracy_std": float(found.std())}}


def _summary(definition: ModelDefinition, metrics: dict[str, Any]) -> str:
    main = main_metric(definition)
    baseline = metrics["baseline"]
    return (
        f"{main} {metrics['overall'][main]:.4g} on {metrics['rows']['test']} test rows "
        f"(linear {baseline['linear'][main]:.4g}, constant {baseline['constant'][main]:.4g})"
    )
