"""Orders as callers send them who know less: one model answers everybody, so it learns from everybody's requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from catalog.olist_delivery.features import FEATURE_COLUMNS

# The day stays in every copy: a request without one is bought now, and now is when the training ends.
ALWAYS_KNOWN = ("seller_zip_code_prefix", "customer_lat", "customer_lng", "purchase_day")
# What callers have or lack together.
GROUPS = (
    ("promised_days", "promised_weekday", "promised_days_per_km"),
    ("hand_over_days",),
    (
        *("seller_lat", "seller_lng", "seller_state"),
        *("distance_km", "same_state", "promised_days_per_km"),
    ),
    (
        *("price", "freight_value", "weight_g", "volume_cm3", "item_count", "seller_count"),
        *("freight_per_gram", "grams_per_cm3"),
    ),
    ("customer_state", "same_state"),
)


def fitted_on(rows: pd.DataFrame, params: Mapping[str, Any]) -> pd.DataFrame:
    """The rows; each again with the required fields only; and again with some of the others left out by chance."""
    bare = rows.copy()
    bare[[name for name in FEATURE_COLUMNS if name not in ALWAYS_KNOWN]] = np.nan
    random = np.random.default_rng(params["seed"])
    partial = rows.copy()
    for group in GROUPS:
        partial.loc[random.random(len(rows)) < params["gap_share"], list(group)] = np.nan
    return pd.concat([rows, bare, partial], ignore_index=True)
