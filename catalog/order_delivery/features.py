"""Request columns to model columns for order-delivery; in the hot path, so numpy only and few calls.

Missing stays NaN: what stands in for it is decided inside the fitted pipeline.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from catalog.order_delivery.schema import State

Columns = Mapping[str, NDArray[Any]]

SECONDS_PER_DAY = 86_400
# Times are divided, not cast: the quotient of a missing time is NaN, its cast is a large number.
# Days are counted from 2016, so that float32 keeps seconds apart.
START, SECOND = np.datetime64("2016-01-01", "s"), np.timedelta64(1, "s")
# The schema lists neighbours beside one another, along the coast from São Paulo and then inland: the place is the code.
STATES: tuple[str, ...] = get_args(State)
CODES: dict[str | None, float] = {state: float(code) for code, state in enumerate(STATES)} | {None: math.nan}

AS_THEY_ARE = (
    *("distance_km", "order_value", "shipping_cost", "weight_kg", "volume_litres", "items", "sellers"),
)
NUMBERS = (
    *AS_THEY_ARE,
    *("shipping_cost_per_kg", "kg_per_litre", "same_state"),
    *("purchase_day", "purchase_weekday", "purchase_hour", "purchase_week_hour", "purchase_month_day"),
    *("promised_days", "promised_weekday", "promised_days_per_km", "dispatch_days"),
)
CATEGORIES = ("destination_state", "origin_state")
FEATURE_COLUMNS = (*NUMBERS, *CATEGORIES)


def build(columns: Columns) -> Columns:
    """Feature columns of shape (rows,), in float64."""
    features: dict[str, NDArray[Any]] = {name: columns[name] for name in AS_THEY_ARE}
    for name in CATEGORIES:
        features[name] = np.array([CODES[value] for value in columns[name].tolist()], dtype=np.float64)
    apart = features["destination_state"] - features["origin_state"]
    features["same_state"] = np.where(np.isnan(apart), np.nan, apart == 0)
    # A light parcel pays for its label more than for its weight: hence the 200 g.
    features["shipping_cost_per_kg"] = features["shipping_cost"] / (features["weight_kg"] + 0.2)
    features["kg_per_litre"] = features["weight_kg"] / (features["volume_litres"] + 0.001)
    _add_time(features, columns)
    return features


def _add_time(features: dict[str, NDArray[Any]], columns: Columns) -> None:
    """The promise and the dispatch follow the platform's own expectation from month to month."""
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
    features["dispatch_days"] = (columns["dispatch_by"] - START) / SECOND / SECONDS_PER_DAY - purchased
