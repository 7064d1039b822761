"""One ONNX graph answers what the scikit-learn pipeline answers, gaps included."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from catboost import CatBoostRegressor
from sklearn.base import BaseEstimator
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor, StackingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from modelkit.runtime import CompiledModel
from training.graph import to_graph

RANDOM = np.random.default_rng(5)
ROWS = pd.DataFrame(RANDOM.normal(size=(300, 4)).astype(np.float32).astype(np.float64), columns=list("abcd"))
LABELS = ROWS["a"] * 2 + np.abs(ROWS["b"]) + RANDOM.normal(0, 0.1, len(ROWS))
FILL = SimpleImputer(strategy="constant", fill_value=-9.0, keep_empty_features=True)


def stack() -> StackingRegressor:
    bases = [
        (
            "catboost",
            CatBoostRegressor(iterations=20, depth=3, verbose=0, thread_count=1, allow_writing_files=False),
        ),
        ("forest", RandomForestRegressor(n_estimators=10, random_state=0)),
    ]
    return StackingRegressor(bases, GradientBoostingRegressor(n_estimators=10, random_state=0), cv=3)


def run(pipeline: Pipeline, rows: pd.DataFrame) -> np.ndarray:
    matrix = np.ascontiguousarray(rows.to_numpy(dtype=np.float32))
    return CompiledModel(to_graph(pipeline, rows.shape[1])).run(matrix)


@pytest.mark.parametrize(
    "last",
    [stack(), LinearRegression(), CatBoostRegressor(iterations=5, verbose=0, allow_writing_files=False)],
)
def test_a_regressor_answers_the_same_with_and_without_gaps(last: BaseEstimator) -> None:
    rows = ROWS.mask(RANDOM.random(ROWS.shape) < 0.2)
    pipeline = Pipeline([("fill", FILL), ("last", last)]).fit(rows, LABELS)
    assert run(pipeline, rows)[:, 0] == pytest.approx(pipeline.predict(rows), abs=1e-4)


@pytest.mark.parametrize("last", [LinearDiscriminantAnalysis(), LogisticRegression()])
def test_a_classifier_gives_a_probability_per_class(last: BaseEstimator) -> None:
    labels = np.where(LABELS < 0, "low", np.where(LABELS < 1, "middle", "top"))
    pipeline = Pipeline([("scale", StandardScaler()), ("last", last)]).fit(ROWS, labels)
    outputs = run(pipeline, ROWS)
    assert outputs.shape == (len(ROWS), 3)
    assert outputs == pytest.approx(pipeline.predict_proba(ROWS), abs=1e-5)
