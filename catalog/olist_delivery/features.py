"""Request columns to model columns for olist-delivery; in the hot path, so numpy only and few calls.

Missing stays NaN: what stands in for it is decided inside the fitted pipeline.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from catalog.olist_delivery.schema import State

Columns = Mapping[str, NDArray[Any]]

KILOMETRES_PER_DEGREE = 111.195
RADIANS = math.pi / 180
SECONDS_PER_DAY = 86_400
# Times are divided, not cast: the quotient of a missing time is NaN, its cast is a large number.
# The shop opened in 2016: days are counted from there, so that float32 keeps seconds apart.
START, SECOND = np.datetime64("2016-01-01", "s"), np.timedelta64(1, "s")
# The schema lists neighbours beside one another, along the coast from São Paulo and then inland, so that a tree needs few
# cuts: the place in that list is the code.
STATES: tuple[str, ...] = get_args(State)
CODES: dict[str | None, float] = {state: float(code) for code, state in enumerate(STATES)} | {None: math.nan}

AS_THEY_ARE = (
    *("seller_zip_code_prefix", "customer_lat", "customer_lng", "seller_lat", "seller_lng"),
    *("price", "freight_value", "weight_g", "volume_cm3", "item_count", "seller_count"),
)
FEATURE_COLUMNS = (
    *AS_THEY_ARE,
    *("distance_km", "customer_state", "seller_state", "same_state"),
    *("freight_per_gram", "grams_per_cm3"),
    *("purchase_day", "purchase_weekday", "purchase_hour", "purchase_week_hour", "purchase_month_day"),
    *("promised_days", "promised_weekday", "promised_days_per_km", "hand_over_days"),
)


def build(columns: Columns) -> Columns:
    """Feature columns of shape (rows,), in float64."""
    features: dict[str, NDArray[Any]] = {name: columns[name] for name in AS_THEY_ARE}
    _add_place(features, columns)
    _add_parcel(features)
    _add_time(features, columns)
    return features


def _add_place(features: dict[str, NDArray[Any]], columns: Columns) -> None:
    north = features["customer_lat"] - features["seller_lat"]
    middle = (features["customer_lat"] + features["seller_lat"]) * (RADIANS / 2)
    east = (features["customer_lng"] - features["seller_lng"]) * np.cos(middle)
    features["distance_km"] = np.hypot(north, east) * KILOMETRES_PER_DEGREE
    for name in ("customer_state", "seller_state"):
        codes = [CODES[value] for value in columns[name].tolist()]
        features[name] = np.array(codes, dtype=np.float64)
    apart = features["customer_state"] - features["seller_state"]
    features["same_state"] = np.where(np.isnan(apart), np.nan, apart == 0)


def _add_parcel(features: dict[str, NDArray[Any]]) -> None:
    """A light parcel pays for its label more than for its weight: hence the 200 g."""
    features["freight_per_gram"] = features["freight_value"] / (features["weight_g"] + 200.0)
    features["grams_per_cm3"] = features["weight_g"] / (features["volume_cm3"] + 1.0)


def _add_time(features: dict[str, NDArray[Any]], columns: Columns) -> None:
    """The promise and the hand-over follow the platform's own expectation from month to month."""
    purchased = (columns["purchased_at"] - START) / SECOND / SECONDS_PER_DAY
    promised = (columns["promised_at"] - START) / SECOND / SECONDS_PER_DAY
    day = np.floor(purchased)
    weekday = (day + 4) % 7  # 1 January 2016 was a Friday; Monday is 0
    hour = (purchased - day) * 24
    features["purchase_day"] = purchased
    features["purchase_weekday"] = weekday
    features["purchase_hour"] = hour
    features["purchase_week_hour"] = weekday * 24 + hour
    months = columns["purchased_at"].astype("datetime64[M]")
    features["purchase_month_day"] = (columns["purchased_at"] - months) / SECOND // SECONDS_PER_DAY + 1
    features["promised_days"] = promised - purchased
    features["promised_weekday"] = (np.floor(promised) + 4) % 7
    features["promised_days_per_km"] = features["promised_days"] / (features["distance_km"] + 100.0)
    features["hand_over_days"] = (columns["hand_over_by"] - START) / SECOND / SECONDS_PER_DAY - purchased
