"""The estimator of basket: CatBoost for the median basket, learning also to do without what may be missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from catboost import CatBoostRegressor
from optuna import Trial
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import VotingRegressor
from sklearn.preprocessing import FunctionTransformer

from catalog.basket.features import MOMENT, OPTIONAL

# What callers leave out: the moment of the order, or everything that only a full feature store knows.
LEFT_OUT = (MOMENT, OPTIONAL)


def make_estimator(params: Mapping[str, Any], seed: int) -> VotingRegressor:
    """Takes the feature columns, gives GBP: the mean of two that weigh small and large baskets differently.

    One thread, so that a run can be repeated to the bit.
    """
    root = FunctionTransformer(np.sqrt, inverse_func=np.square, check_inverse=False)
    in_roots = TransformedTargetRegressor(regressor=_catboost(params, seed), transformer=root)
    return VotingRegressor([("in_roots", in_roots), ("in_pounds", _catboost(params, seed + 1))], n_jobs=1)


def _catboost(params: Mapping[str, Any], seed: int) -> CatBoostRegressor:
    return CatBoostRegressor(
        **params["catboost"], random_seed=seed, thread_count=1, verbose=0, allow_writing_files=False
    )


def fitted_on(rows: pd.DataFrame, params: Mapping[str, Any]) -> pd.DataFrame:
    """The usual rows, and each of them again as a caller sends it who knows less.

    A few giant baskets (one in a hundred) cannot be foreseen; left in, they pull up everybody's answer.
    """
    usual = rows[rows["label"] <= rows["label"].quantile(params["usual_share"])]
    return pd.concat([usual, *(usual.assign(**dict.fromkeys(names, np.nan)) for names in LEFT_OUT)])


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
