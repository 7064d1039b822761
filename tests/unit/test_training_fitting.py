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

from modelkit.definition import load_catalog
from training.fitting.fit import ORIGIN, chosen_rows, weight_argument, with_copies
from training.params import read_params

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


def test_every_row_is_learned_from_unless_the_recipe_chooses() -> None:
    assert chosen_rows(load_catalog()["iris"], {}, ROWS) is ROWS


def test_a_recipe_may_learn_rows_again_as_a_caller_sends_them_who_knows_less() -> None:
    basket = load_catalog()["basket"]
    rows = pd.DataFrame(1.0, index=range(10), columns=[*basket.feature_columns, "label"]).assign(entity="ada")
    chosen = chosen_rows(basket, read_params("basket").train | {"usual_share": 1.0}, rows)
    assert len(chosen) > len(rows)
    assert set(chosen.columns) == set(rows.columns)


def test_bounds_are_calibrated_on_every_row_and_on_the_copies_that_the_recipe_learns_from() -> None:
    basket = load_catalog()["basket"]
    rows = pd.DataFrame(1.0, index=range(10), columns=[*basket.feature_columns, "label"]).assign(entity="ada")
    rows["label"] = [*range(9), 9999.0]  # what teaches nothing, because it is so large, may still come
    found = with_copies(basket, read_params("basket").train | {"usual_share": 0.9}, rows)
    assert set(found[ORIGIN]) == set(range(10))
    assert 9999.0 in set(found["label"])
    assert len(found) > 10


def test_where_a_recipe_has_no_say_there_are_no_copies() -> None:
    found = with_copies(load_catalog()["iris"], {}, ROWS)
    assert list(found[ORIGIN]) == list(range(len(ROWS)))
