"""Orders as a caller sends them who knows only what a request requires: the model answers these as well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from catalog.order_delivery.features import FEATURE_COLUMNS

OF_REQUIRED_FIELDS = (
    *("purchase_day", "purchase_weekday", "purchase_hour", "purchase_week_hour", "purchase_month_day"),
    "destination_state",
)


def fitted_on(rows: pd.DataFrame, params: Mapping[str, Any]) -> pd.DataFrame:
    """The rows, and `gap_share` of them again without their optional fields."""
    bare = rows.sample(frac=params["gap_share"], random_state=params["seed"])
    bare[[name for name in FEATURE_COLUMNS if name not in OF_REQUIRED_FIELDS]] = np.nan
    return pd.concat([rows, bare], ignore_index=True)
