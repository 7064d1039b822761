"""The estimator of food-delivery: CatBoost and a random forest, stacked under small boosted trees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catboost import CatBoostRegressor
from optuna import Trial
from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor, StackingRegressor
from sklearn.impute import SimpleImputer
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline

# No feature is negative, so that trees can tell a missing value from every present one.
MISSING = -1.0


def make_estimator(params: Mapping[str, Any], seed: int) -> Pipeline:
    """Takes the feature columns, gives minutes. One thread, so that a run can be repeated to the bit."""
    catboost = CatBoostRegressor(
        **params["catboost"], random_seed=seed, thread_count=1, verbose=0, allow_writing_files=False
    )
    forest = RandomForestRegressor(**params["forest"], random_state=seed, n_jobs=1)
    stack = StackingRegressor(
        estimators=[("catboost", catboost), ("forest", forest)],
        final_estimator=GradientBoostingRegressor(**params["final"], random_state=seed),
        cv=KFold(n_splits=params["folds"], shuffle=True, random_state=seed),
        n_jobs=1,
    )
    fill = SimpleImputer(strategy="constant", fill_value=MISSING, keep_empty_features=True)
    return Pipeline([("fill", fill), ("stack", stack)])


def suggest(trial: Trial) -> dict[str, Any]:
    """The boosted half of the stack; the forest and the final model hardly move the error."""
    return {
        "catboost": {
            "iterations": trial.suggest_int("iterations", 200, 800, step=50),
            "depth": trial.suggest_int("depth", 5, 9),
            "learning_rate": trial.suggest_float("learning_rate", 0.03, 0.15, log=True),
            "l2_leaf_reg": trial.suggest_float("l2_leaf_reg", 1.0, 10.0, log=True),
            "loss_function": "RMSE",
        }
    }
