"""The estimator of food-delivery: CatBoost and a random forest, stacked under small boosted trees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catboost import CatBoostRegressor
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
