"""Model A's features: the numbers as they are, and one column of zeros and ones per category."""

from __future__ import annotations

import numpy as np

from modelkit.columns import Columns

NUMBERS = (
    "distance_km",
    "preparation_minutes",
    "courier_age_years",
    "courier_rating",
    "temperature_celsius",
    "item_count",
    "order_value",
    "hour_of_day",
)
CATEGORIES = {
    "zone": ("centre", "north", "east", "south", "west", "airport"),
    "vehicle": ("bicycle", "scooter", "motorcycle", "car"),
}
INDICATORS = tuple((column, value) for column, values in CATEGORIES.items() for value in values)
FEATURE_COLUMNS = NUMBERS + tuple(f"{column}={value}" for column, value in INDICATORS)


def build(columns: Columns) -> Columns:
    numbers = {name: columns[name] for name in NUMBERS}
    indicators = {
        f"{column}={value}": (columns[column] == value).astype(np.float64) for column, value in INDICATORS
    }
    return numbers | indicators
