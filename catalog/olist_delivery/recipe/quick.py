"""Quick models of olist-delivery: the platform's promise, and CatBoost on few fields, on many, and on late orders most."""

from __future__ import annotations

import numpy as np
import pandas as pd
from catboost import CatBoostRegressor
from sklearn.compose import make_column_transformer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from modelkit.yardstick import QuickModel, Yardstick

THREE = ["seller_zip_code_prefix", "customer_lat", "customer_lng"]
NUMBERS = [
    *("seller_lat", "seller_lng", "price", "freight_value"),
    *("weight_g", "volume_cm3", "item_count", "seller_count"),
]
STATES = ["customer_state", "seller_state"]
HALF_LIFE_DAYS = 90
KILOMETRES_PER_DEGREE = 111.2


def yardstick(iterations: int) -> Yardstick:
    return Yardstick(
        metric="mae",
        models=(
            QuickModel(name="the promised date", columns=_promise),
            QuickModel(
                name="CatBoost, three fields",
                columns=_three,
                estimator=_catboost(iterations),
                required_only=True,
            ),
            QuickModel(name="CatBoost, all fields", columns=_rich, estimator=_encoded(iterations)),
            QuickModel(
                name=f"the same, half-life {HALF_LIFE_DAYS} days",
                columns=_rich,
                estimator=_encoded(iterations),
                weights=_recent,
            ),
        ),
    )


def _days(times: pd.Series) -> pd.Series:
    return times.dt.total_seconds() / 86_400


def _promise(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"promised_days": _days(rows["promised_at"] - rows["purchased_at"])})


def _three(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[THREE]


def _rich(rows: pd.DataFrame) -> pd.DataFrame:
    """What is known at the purchase, the distance, and what the calendar says."""
    purchased = rows["purchased_at"]
    north = rows["customer_lat"] - rows["seller_lat"]
    east = (rows["customer_lng"] - rows["seller_lng"]) * np.cos(np.radians(rows["customer_lat"]))
    return (
        rows[[*THREE, *NUMBERS]]
        .astype("float64")
        .join(rows[STATES])
        .assign(
            promised_days=_days(rows["promised_at"] - purchased),
            hand_over_days=_days(rows["hand_over_by"] - purchased),
            distance_km=np.hypot(north, east) * KILOMETRES_PER_DEGREE,
            month=purchased.dt.month,
            weekday=purchased.dt.weekday,
            hour=purchased.dt.hour,
        )
    )


def _recent(rows: pd.DataFrame, now: pd.Timestamp) -> pd.Series:
    return 0.5 ** (_days(now - rows["time"]) / HALF_LIFE_DAYS)


def _encoded(iterations: int) -> Pipeline:
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-1)
    return make_pipeline(
        make_column_transformer((codes, STATES), remainder="passthrough"), _catboost(iterations)
    )


def _catboost(iterations: int) -> CatBoostRegressor:
    return CatBoostRegressor(
        iterations=iterations, loss_function="MAE", random_seed=0, verbose=0, allow_writing_files=False
    )
