"""The estimator of olist-delivery: two CatBoost models that disagree about what next month will be like, averaged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catboost import CatBoostRegressor
from optuna import Trial
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import VotingRegressor
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline

from catalog.olist_delivery.features import FEATURE_COLUMNS

# Larger than every value. For the day of purchase that is the meaning, too: later than all that was learnt from.
MISSING = 1e6
DAY = FEATURE_COLUMNS.index("purchase_day")


def make_estimator(params: Mapping[str, Any], seed: int) -> Pipeline:
    """Takes the feature columns, gives days. One thread, so that a run can be repeated to the bit.

    `level` sees the day and ends at the level of the latest weeks; that is too low, because of the latest orders only the
    quick ones have arrived. `long_run` sees all seasons at once, aims at the median, and is slow to follow.
    """
    without_day = ColumnTransformer([("day", "drop", [DAY])], remainder="passthrough")
    members = {
        "level": _member(params, seed, loss_function="RMSE"),
        "long_run": Pipeline(
            [("without_day", without_day), ("trees", _member(params, seed, loss_function="MAE"))]
        ),
    }
    vote = VotingRegressor(
        list(members.items()), weights=[params["shares"][name] for name in members], n_jobs=1
    )
    return Pipeline(
        [
            ("fill", SimpleImputer(strategy="constant", fill_value=MISSING, keep_empty_features=True)),
            ("vote", vote),
        ]
    )


def suggest(trial: Trial) -> dict[str, Any]:
    """The trees. The shares are a judgement on drift, and three folds of one shop's history must not overrule it."""
    return {
        "catboost": {
            "iterations": trial.suggest_int("iterations", 200, 500, step=50),
            "depth": trial.suggest_int("depth", 4, 7),
            "learning_rate": trial.suggest_float("learning_rate", 0.03, 0.15, log=True),
            "l2_leaf_reg": trial.suggest_float("l2_leaf_reg", 1.0, 10.0, log=True),
        }
    }


def _member(params: Mapping[str, Any], seed: int, *, loss_function: str) -> CatBoostRegressor:
    return CatBoostRegressor(
        **params["catboost"],
        loss_function=loss_function,
        random_seed=seed,
        thread_count=1,
        verbose=0,
        allow_writing_files=False,
    )
