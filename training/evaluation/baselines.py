"""Two baselines that a model must be worth more than: a constant, and a line through the same features."""

from __future__ import annotations

import pandas as pd
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from modelkit.definition import ModelDefinition, Task
from training.evaluation.scores import Array, outputs_of

CONSTANT, LINEAR = "constant", "linear"


def baseline_outputs(
    definition: ModelDefinition, fitted_on: pd.DataFrame, judged_on: pd.DataFrame
) -> dict[str, Array]:
    """Outputs of each baseline for the rows to judge, fitted on the features and labels of the others."""
    if definition.task is Task.REGRESSION:
        models = {CONSTANT: DummyRegressor(strategy="median"), LINEAR: LinearRegression()}
    else:
        models = {CONSTANT: DummyClassifier(strategy="prior"), LINEAR: LogisticRegression(max_iter=1000)}
    found = {}
    for name, model in models.items():
        pipeline = make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler(), model)
        pipeline.fit(fitted_on[list(definition.feature_columns)], fitted_on["label"])
        found[name] = outputs_of(pipeline, judged_on, definition)
    return found
