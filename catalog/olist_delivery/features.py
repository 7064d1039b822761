"""Request columns to model columns for olist-delivery; in the hot path, so numpy only and few calls.

Missing stays NaN: what stands in for it is decided inside the fitted pipeline.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog._olist.features import CALENDAR, are_equal, calendar, days, state_codes

Columns = Mapping[str, NDArray[Any]]

KILOMETRES_PER_DEGREE = 111.195
RADIANS = math.pi / 180

AS_THEY_ARE = (
    *("seller_zip_code_prefix", "customer_lat", "customer_lng", "seller_lat", "seller_lng"),
    *("price", "freight_value", "weight_g", "volume_cm3", "item_count", "seller_count"),
)
FEATURE_COLUMNS = (
    *AS_THEY_ARE,
    *("distance_km", "customer_state", "seller_state", "same_state"),
    *("freight_per_gram", "grams_per_cm3"),
    *CALENDAR,
    "hand_over_days",
)


def build(columns: Columns) -> Columns:
    """Feature columns of shape (rows,), in float64."""
    features: dict[str, NDArray[Any]] = {name: columns[name] for name in AS_THEY_ARE}
    _add_place(features, columns)
    _add_parcel(features)
    features |= calendar(columns["purchased_at"], columns["promised_at"], features["distance_km"])
    features["hand_over_days"] = days(columns["hand_over_by"]) - features["purchase_day"]
    return features


def _add_place(features: dict[str, NDArray[Any]], columns: Columns) -> None:
    north = features["customer_lat"] - features["seller_lat"]
    middle = (features["customer_lat"] + features["seller_lat"]) * (RADIANS / 2)
    east = (features["customer_lng"] - features["seller_lng"]) * np.cos(middle)
    features["distance_km"] = np.hypot(north, east) * KILOMETRES_PER_DEGREE
    for name in ("customer_state", "seller_state"):
        features[name] = state_codes(columns[name])
    features["same_state"] = are_equal(features["customer_state"], features["seller_state"])


def _add_parcel(features: dict[str, NDArray[Any]]) -> None:
    """A light parcel pays for its label more than for its weight: hence the 200 g."""
    features["freight_per_gram"] = features["freight_value"] / (features["weight_g"] + 200.0)
    features["grams_per_cm3"] = features["weight_g"] / (features["volume_cm3"] + 1.0)
