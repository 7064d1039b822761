"""Quick models of order-delivery: the shop's promise, scikit-learn's own boosted trees, and the model that knows more."""

from __future__ import annotations

import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from modelkit.yardstick import Peer, QuickModel, Yardstick

MINUTES_PER_DAY = 1_440
NUMBERS = [
    *("distance_km", "order_value", "shipping_cost", "weight_kg", "volume_litres", "items", "sellers"),
]
STATES = ["destination_state", "origin_state"]


def yardstick(iterations: int) -> Yardstick:
    """olist-delivery answers the same orders, in days, and may use what scikit-learn alone has not."""
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-1)
    trees = HistGradientBoostingRegressor(
        loss="absolute_error", max_iter=max(1, iterations // 10), random_state=0
    )
    return Yardstick(
        metric="mae",
        models=(
            QuickModel(name="the promised date", columns=_promise),
            QuickModel(
                name="boosted trees, all fields",
                columns=_rich,
                estimator=make_pipeline(
                    make_column_transformer((codes, STATES), remainder="passthrough"), trees
                ),
            ),
        ),
        peers=(Peer(model="olist-delivery", factor=MINUTES_PER_DAY, gain=-0.10),),
    )


def _minutes(times: pd.Series) -> pd.Series:
    return times.dt.total_seconds() / 60


def _promise(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"promised_minutes": _minutes(rows["promised_at"] - rows["purchased_at"])})


def _rich(rows: pd.DataFrame) -> pd.DataFrame:
    purchased = rows["purchased_at"]
    return (
        rows[NUMBERS]
        .astype("float64")
        .join(rows[STATES])
        .assign(
            promised_minutes=_minutes(rows["promised_at"] - purchased),
            dispatch_minutes=_minutes(rows["dispatch_by"] - purchased),
            month=purchased.dt.month,
            weekday=purchased.dt.weekday,
            hour=purchased.dt.hour,
        )
    )
