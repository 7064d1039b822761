"""Request columns to model columns for order-delivery; in the hot path, so numpy only and few calls.

Missing stays NaN: what stands in for it is decided inside the fitted pipeline.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from catalog._olist.features import CALENDAR, are_equal, calendar, days, state_codes

Columns = Mapping[str, NDArray[Any]]

AS_THEY_ARE = (
    *("distance_km", "order_value", "shipping_cost", "weight_kg", "volume_litres", "items", "sellers"),
)
NUMBERS = (
    *AS_THEY_ARE,
    *("shipping_cost_per_kg", "kg_per_litre", "same_state"),
    *CALENDAR,
    "dispatch_days",
)
CATEGORIES = ("destination_state", "origin_state")
FEATURE_COLUMNS = (*NUMBERS, *CATEGORIES)


def build(columns: Columns) -> Columns:
    """Feature columns of shape (rows,), in float64."""
    features: dict[str, NDArray[Any]] = {name: columns[name] for name in AS_THEY_ARE}
    for name in CATEGORIES:
        features[name] = state_codes(columns[name])
    features["same_state"] = are_equal(features["destination_state"], features["origin_state"])
    # A light parcel pays for its label more than for its weight: hence the 200 g.
    features["shipping_cost_per_kg"] = features["shipping_cost"] / (features["weight_kg"] + 0.2)
    features["kg_per_litre"] = features["weight_kg"] / (features["volume_litres"] + 0.001)
    features |= calendar(columns["purchased_at"], columns["promised_at"], features["distance_km"])
    features["dispatch_days"] = days(columns["dispatch_by"]) - features["purchase_day"]
    return features
