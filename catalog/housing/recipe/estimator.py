"""The estimator of housing: what a neighbourhood costs, learnt from places alone, and boosted trees that know it.

The neighbourhood's level is a forest on coordinates. It reaches the boosted trees out of fold, so that no row's own
price is in its own level; that is why it is a member of a stack and not a column that is computed beforehand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catboost import CatBoostRegressor
from optuna import Trial
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import ExtraTreesRegressor, StackingRegressor, VotingRegressor
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline

from catalog.housing.features import PLACE


def make_estimator(params: Mapping[str, Any], seed: int) -> Pipeline:
    """Takes the feature columns, gives 100k USD. One thread, so that a run can be repeated to the bit."""
    levels = [(name, _level(knobs, seed)) for name, knobs in params["levels"].items()]
    boosted = [
        (name, _boosted({**params["catboost"], **knobs}, seed + place))
        for place, (name, knobs) in enumerate(params["blend"].items())
    ]
    stack = StackingRegressor(
        estimators=levels,
        final_estimator=VotingRegressor(boosted, n_jobs=1),
        cv=KFold(n_splits=params["folds"], shuffle=True, random_state=seed),
        passthrough=True,
        n_jobs=1,
    )
    return Pipeline([("stack", stack)])


def suggest(trial: Trial) -> dict[str, Any]:
    """What both halves of the blend share."""
    return {
        "catboost": {
            "iterations": trial.suggest_int("iterations", 400, 1000, step=100),
            "depth": trial.suggest_int("depth", 5, 7),
            "learning_rate": trial.suggest_float("learning_rate", 0.04, 0.12, log=True),
            "l2_leaf_reg": trial.suggest_float("l2_leaf_reg", 1.0, 10.0, log=True),
            "rsm": trial.suggest_float("rsm", 0.2, 0.6),
            "loss_function": "RMSE",
        }
    }


def _level(knobs: Mapping[str, Any], seed: int) -> Pipeline:
    places = ColumnTransformer([("place", "passthrough", list(PLACE))])
    return Pipeline(
        [("place", places), ("forest", ExtraTreesRegressor(**knobs, random_state=seed, n_jobs=1))]
    )


def _boosted(knobs: Mapping[str, Any], seed: int) -> CatBoostRegressor:
    return CatBoostRegressor(**knobs, random_seed=seed, thread_count=1, verbose=0, allow_writing_files=False)
