"""The estimator of food-delivery: CatBoost and a random forest, stacked under a line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catboost import CatBoostRegressor
from optuna import Trial
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestRegressor, StackingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline

from catalog.food_delivery.features import FEATURE_COLUMNS

# Real rows that lack only one of these took less time than usual; a gap in any other column tells nothing.
TELLING = ("multiple_deliveries", "festival", "city")
BELOW_ALL = -1.0


def make_estimator(params: Mapping[str, Any], seed: int) -> Pipeline:
    """Takes the feature columns, gives minutes. One thread, so that a run can be repeated to the bit."""
    catboost = CatBoostRegressor(
        **params["catboost"], random_seed=seed, thread_count=1, verbose=0, allow_writing_files=False
    )
    forest = RandomForestRegressor(**params["forest"], random_state=seed, n_jobs=1)
    stack = StackingRegressor(
        estimators=[("catboost", catboost), ("forest", forest)],
        final_estimator=LinearRegression(positive=True),
        cv=KFold(n_splits=params["folds"], shuffle=True, random_state=seed),
        n_jobs=1,
    )
    return Pipeline([("fill", _fill()), ("stack", stack)])


def _fill() -> ColumnTransformer:
    """What is missing stands amid what could have been: a tree that never met the gap then answers something usual, and
    one that did can still tell it from every present value.
    """
    telling = [place for place, name in enumerate(FEATURE_COLUMNS) if name in TELLING]
    others = [place for place, name in enumerate(FEATURE_COLUMNS) if name not in TELLING]
    lowest = SimpleImputer(strategy="constant", fill_value=BELOW_ALL, keep_empty_features=True)
    usual = SimpleImputer(strategy="mean", keep_empty_features=True)
    return ColumnTransformer([("usual", usual, others), ("lowest", lowest, telling)])


def suggest(trial: Trial) -> dict[str, Any]:
    """The boosted half of the stack; the forest hardly moves the error."""
    return {
        "catboost": {
            "iterations": trial.suggest_int("iterations", 200, 800, step=50),
            "depth": trial.suggest_int("depth", 5, 9),
            "learning_rate": trial.suggest_float("learning_rate", 0.03, 0.15, log=True),
            "l2_leaf_reg": trial.suggest_float("l2_leaf_reg", 1.0, 10.0, log=True),
            "loss_function": "RMSE",
        }
    }
