"""The estimator of basket: trees for the median basket, and a memory of customers for callers who know little of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from catboost import CatBoostRegressor
from optuna import Trial
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import VotingRegressor
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, TargetEncoder

from catalog.basket.features import CUSTOMER, FEATURE_COLUMNS


def make_estimator(params: Mapping[str, Any], seed: int) -> VotingRegressor:
    """Takes the feature columns, gives GBP: the mean of two that weigh small and large baskets differently.

    One thread, so that a run can be repeated to the bit.
    """
    root = FunctionTransformer(np.sqrt, inverse_func=np.square, check_inverse=False)
    in_roots = TransformedTargetRegressor(regressor=_member(params, seed), transformer=root)
    return VotingRegressor([("in_roots", in_roots), ("in_pounds", _member(params, seed + 1))], n_jobs=1)


def _member(params: Mapping[str, Any], seed: int) -> Pipeline:
    """Trees see, in place of a customer's code, what the customer's baskets were worth: of a row that is learned, the others."""
    knobs = params["memory"]
    encoder = TargetEncoder(
        target_type="continuous",
        smooth=knobs["smooth"],
        cv=KFold(knobs["folds"], shuffle=True, random_state=seed),
    )
    memory = ColumnTransformer(
        [("customer", encoder, [FEATURE_COLUMNS.index(CUSTOMER)])], remainder="passthrough"
    )
    trees = CatBoostRegressor(
        **params["catboost"], random_seed=seed, thread_count=1, verbose=0, allow_writing_files=False
    )
    return Pipeline([("customers", memory), ("trees", trees)])


def suggest(trial: Trial) -> dict[str, Any]:
    """How finely the trees may cut."""
    return {
        "catboost": {
            "iterations": trial.suggest_int("iterations", 300, 900, step=50),
            "depth": trial.suggest_int("depth", 4, 7),
            "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.1, log=True),
            "l2_leaf_reg": trial.suggest_float("l2_leaf_reg", 1.0, 20.0, log=True),
            "rsm": trial.suggest_float("rsm", 0.1, 0.5),
            "bootstrap_type": "Bernoulli",
            "subsample": trial.suggest_float("subsample", 0.4, 0.9),
            "loss_function": "MAE",
        }
    }
