"""Quick models of basket: the usual basket, the customer's own, and CatBoost on what a history says at once."""

from __future__ import annotations

import pandas as pd
from catboost import CatBoostRegressor
from sklearn.dummy import DummyRegressor

from catalog.basket.features import ALWAYS
from modelkit.yardstick import QuickModel, Yardstick

USUAL_SHARE = 0.99  # one basket of 168,470 GBP would decide the mean
HISTORY = [
    *("basket_count", "mean_value", "log_mean_value", "recent_log_mean", "median_value", "largest_value"),
    *("second_last_value", "third_last_value", "recent_median", "last_gap", "median_visit_gap"),
    *("active_days", "mean_items", "cancelled_share", "domestic"),
]


def yardstick(iterations: int) -> Yardstick:
    return Yardstick(
        metric="mae",
        usual_share=USUAL_SHARE,
        models=(
            QuickModel(name="median", columns=_four, estimator=DummyRegressor(strategy="median")),
            QuickModel(name="customer's log-mean", columns=_log_mean),
            QuickModel(name="customer's last", columns=_last),
            QuickModel(
                name="CatBoost, four fields",
                columns=_four,
                estimator=_catboost(iterations),
                required_only=True,
            ),
            QuickModel(name="CatBoost, history", columns=_history, estimator=_catboost(iterations)),
        ),
    )


def _four(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[list(ALWAYS)]


def _log_mean(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[["log_mean_value"]]


def _last(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[["prior_basket_value"]]


def _history(rows: pd.DataFrame) -> pd.DataFrame:
    """Days since the last basket and the moment of this one, too."""
    ordered = rows["ordered_at"]
    days = (ordered - pd.Timestamp(0)).dt.total_seconds() / 86_400
    return (
        rows[[*ALWAYS, *HISTORY]]
        .astype("float64")
        .assign(
            days_since=days - rows["last_basket_at"],
            month=ordered.dt.month,
            weekday=ordered.dt.weekday,
            hour=ordered.dt.hour,
        )
    )


def _catboost(iterations: int) -> CatBoostRegressor:
    return CatBoostRegressor(
        iterations=iterations, loss_function="MAE", random_seed=0, verbose=0, allow_writing_files=False
    )
