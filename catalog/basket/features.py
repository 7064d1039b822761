"""Row columns to model columns for basket; in the hot path, so numpy only and few calls.

Missing stays NaN: trees learn where a history without a value belongs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

SECONDS_PER_DAY = 86_400
# Times are divided, not cast: the quotient of a missing time is NaN, its cast is a large number.
EPOCH, DAY = np.datetime64(0, "s"), np.timedelta64(SECONDS_PER_DAY, "s")
# Baskets that are closer than this belong to one visit: orders are often split over several invoices.
VISIT_DAYS = 0.5

ALWAYS = ("prior_basket_value", "prior_item_count", "prior_regulars_count", "regulars_count")
RATIOS = ("value_per_item", "repeat_share", "regulars_per_item")
KEPT = (
    "basket_count",
    "mean_value",
    "log_mean_value",
    "log_spread",
    "recent_log_mean",
    "smallest_value",
    "lower_quartile",
    "median_value",
    "upper_quartile",
    "largest_value",
    "recent_median",
    "second_last_value",
    "third_last_value",
    "fourth_last_value",
    "visit_count",
    "last_visit_value",
    "second_last_visit_value",
    "log_mean_visit",
    "median_visit",
    "median_opening",
    "log_mean_follow_up",
    "follow_up_share",
    "median_visit_gap",
    "last_visit_gap",
    "last_gap",
    "active_days",
    "last_cancelled_value",
    "cancellation_count",
    "cancelled_share",
    "mean_items",
    "median_items",
    "product_count",
    "last_median_price",
    "mean_median_price",
    "last_units",
    "median_units",
    "last_largest_line",
    "median_largest_line",
    "domestic",
)
# Days from a moment of the history to that of the order, both needed: NaN where the request does not say when.
SINCE = {
    "days_since_basket": "last_basket_at",
    "days_since_second_last_basket": "second_last_basket_at",
    "days_since_visit": "last_visit_at",
    "days_since_cancellation": "last_cancellation_at",
}
MOMENT = (*SINCE, "gap_by_usual_gap", "order_hour", "order_weekday", "visit_so_far", "cancelled_since")
OPTIONAL = (*KEPT, *MOMENT)
# Who orders, where nothing but the four fields is known of them: a model remembers what the customer's baskets were worth.
CUSTOMER = "customer_code"
FEATURE_COLUMNS = (*ALWAYS, *RATIOS, *OPTIONAL, CUSTOMER)
CODES = 0xFFFFFF  # as many as a float32 tells apart

Columns = Mapping[str, NDArray[Any]]


def build(columns: Columns) -> Columns:
    """Feature columns of shape (rows,), in float64."""
    features: dict[str, NDArray[Any]] = {name: columns[name] for name in (*ALWAYS, *KEPT)}
    items = columns["prior_item_count"]
    features["value_per_item"] = columns["prior_basket_value"] / items
    features["repeat_share"] = columns["prior_regulars_count"] / items
    features["regulars_per_item"] = columns["regulars_count"] / items
    moment = (columns["ordered_at"] - EPOCH) / DAY
    for name, since in SINCE.items():
        features[name] = moment - columns[since]
    features["gap_by_usual_gap"] = features["days_since_visit"] / (columns["median_visit_gap"] + 1.0)
    features["order_hour"] = moment % 1.0 * 24.0
    features["order_weekday"] = (np.floor(moment) + 3.0) % 7.0  # 1 January 1970 was a Thursday; Monday is 0
    _add_this_visit(features, columns)
    unknown = np.isnan(columns["basket_count"])
    features[CUSTOMER] = np.where(unknown, customer_codes(columns["user_id"]), np.nan)
    return features


def customer_codes(user_ids: NDArray[Any]) -> NDArray[np.float64]:
    """A number for each name, whatever its form. Two names may share one; among ten thousand customers three pairs do."""
    return np.array([crc32(name.encode()) & CODES for name in user_ids.tolist()], dtype=np.float64)


def _add_this_visit(features: dict[str, NDArray[Any]], columns: Columns) -> None:
    """What was ordered already on this visit, and what was taken back since the last basket: it is often ordered anew."""
    since = features["days_since_basket"]
    again = np.where(features["days_since_visit"] < VISIT_DAYS, columns["last_visit_value"], 0.0)
    features["visit_so_far"] = np.where(np.isnan(since), np.nan, again)
    undone = np.where(features["days_since_cancellation"] < since, columns["last_cancelled_value"], 0.0)
    features["cancelled_since"] = np.where(np.isnan(since), np.nan, undone)
