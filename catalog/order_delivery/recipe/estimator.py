"""The estimator of order-delivery: scikit-learn only, preprocessing by choice, and three boosted models averaged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from optuna import Trial
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import GradientBoostingRegressor, VotingRegressor
from sklearn.pipeline import Pipeline

from catalog.order_delivery.features import NUMBERS
from catalog.order_delivery.recipe.preprocessing import make_preprocessing

DAY = NUMBERS.index("purchase_day")


def make_estimator(params: Mapping[str, Any], seed: int) -> Pipeline:
    """Takes the feature columns, gives minutes.

    `level` and `median` see the day of purchase and end at the level of the latest weeks, which is too low, because of
    the latest orders only the quick ones have arrived; `long_run` sees all seasons at once, and is slow to follow.
    The logarithm makes the latter two aim at the median, and heeds a long wait less.
    """
    without_day = ColumnTransformer([("day", "drop", [DAY])], remainder="passthrough")
    members = {
        "level": _trees(params, seed),
        "median": _of_logarithm(_trees(params, seed)),
        "long_run": Pipeline([("without_day", without_day), ("trees", _of_logarithm(_trees(params, seed)))]),
    }
    shares = [params["shares"][name] for name in members]
    return Pipeline(
        [
            ("preprocess", make_preprocessing(params["preprocessing"], seed)),
            ("vote", VotingRegressor(list(members.items()), weights=shares)),
        ]
    )


def suggest(trial: Trial) -> dict[str, Any]:
    """Preprocessing and trees."""
    return {
        "preprocessing": {
            "imputer": trial.suggest_categorical("imputer", ["constant", "median"]),
            "encoder": trial.suggest_categorical("encoder", ["ordinal", "target"]),
        },
        "trees": {
            "n_estimators": trial.suggest_int("n_estimators", 60, 200, step=20),
            "learning_rate": trial.suggest_float("learning_rate", 0.04, 0.2, log=True),
            "max_depth": trial.suggest_int("max_depth", 3, 6),
            "min_samples_leaf": trial.suggest_int("min_samples_leaf", 20, 100),
        },
    }


def _trees(params: Mapping[str, Any], seed: int) -> GradientBoostingRegressor:
    return GradientBoostingRegressor(**params["trees"], random_state=seed)


def _of_logarithm(model: GradientBoostingRegressor) -> TransformedTargetRegressor:
    return TransformedTargetRegressor(model, func=np.log, inverse_func=np.exp, check_inverse=False)
