"""Weights of rows reach whatever learns, however deep in a pipeline it sits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeRegressor

from training.fitting import weight_argument

RANDOM = np.random.default_rng(2)
ROWS = pd.DataFrame(RANDOM.normal(size=(80, 2)), columns=["a", "b"])
LABELS = ROWS["a"] ** 2 + 1
WEIGHTS = np.arange(80) % 2


def behind_a_step(last: Any) -> Pipeline:
    return Pipeline([("same", FunctionTransformer()), ("last", last)])


def in_logarithms(last: Any) -> TransformedTargetRegressor:
    return TransformedTargetRegressor(last, func=np.log, inverse_func=np.exp)


@pytest.mark.parametrize(
    "estimator",
    [
        LinearRegression(),
        behind_a_step(DecisionTreeRegressor(max_depth=3, random_state=0)),
        behind_a_step(in_logarithms(LinearRegression())),
        behind_a_step(in_logarithms(behind_a_step(DecisionTreeRegressor(max_depth=3, random_state=0)))),
    ],
    ids=["bare", "in a pipeline", "in logarithms", "in a pipeline in logarithms in a pipeline"],
)
def test_a_row_without_weight_teaches_nothing(estimator: Any) -> None:
    weighted = clone(estimator).fit(ROWS, LABELS, **{weight_argument(estimator): WEIGHTS})
    kept = clone(estimator).fit(ROWS[WEIGHTS == 1], LABELS[WEIGHTS == 1])
    assert weighted.predict(ROWS) == pytest.approx(kept.predict(ROWS))
