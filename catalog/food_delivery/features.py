"""Request columns to model columns for food-delivery; in the hot path, so numpy only and few calls.

Missing stays NaN: what stands in for it is decided inside the fitted pipeline.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

KILOMETRES_PER_DEGREE = 111.195
# The delivery area lies north of the equator: a restaurant this close to (0, 0) is a placeholder, not a place.
PLACEHOLDER_DEGREES = 1.0
SECONDS_PER_DAY = 86_400
# Times are divided, not cast: the quotient of a missing time is NaN, its cast is a large number.
EPOCH, SECOND = np.datetime64(0, "s"), np.timedelta64(1, "s")

NUMBERS = ("rider_age", "rider_rating", "vehicle_condition", "multiple_deliveries", "festival")
# Codes follow the mean delivery time where there is an order, so that a tree needs few cuts.
CODES: dict[str, dict[str | None, float]] = {
    "weather": {"sunny": 0, "stormy": 1, "sandstorms": 2, "windy": 3, "fog": 4, "cloudy": 5, None: math.nan},
    "road_traffic": {"low": 0, "medium": 1, "high": 2, "jam": 3, None: math.nan},
    "order_type": {"meal": 0, "snack": 1, "drinks": 2, "buffet": 3, None: math.nan},
    "vehicle_type": {"electric_scooter": 0, "scooter": 1, "motorcycle": 2, "bicycle": 3, None: math.nan},
    "city": {"urban": 0, "metropolitan": 1, "semi-urban": 2, None: math.nan},
}
PLACE_AND_TIME = (
    "restaurant_latitude",
    "restaurant_longitude",
    "latitude_offset",
    "distance_km",
    "order_hour",
    "weekday",
    "preparation_minutes",
)
FEATURE_COLUMNS = (*NUMBERS, *CODES, *PLACE_AND_TIME)

Columns = Mapping[str, NDArray[Any]]


def build(columns: Columns) -> Columns:
    """Feature columns of shape (rows,), in float64."""
    features: dict[str, NDArray[Any]] = {name: columns[name] for name in NUMBERS}
    for name, codes in CODES.items():
        features[name] = np.array([codes[value] for value in columns[name].tolist()], dtype=np.float64)
    _add_place(features, columns)
    _add_time(features, columns)
    return features


def _add_place(features: dict[str, NDArray[Any]], columns: Columns) -> None:
    """A flipped sign is undone by the absolute value; a placeholder keeps its distance and loses its place."""
    latitude = np.abs(columns["restaurant_latitude"])
    longitude = np.abs(columns["restaurant_longitude"])
    north = np.abs(columns["delivery_latitude"]) - latitude
    east = (np.abs(columns["delivery_longitude"]) - longitude) * np.cos(latitude * (math.pi / 180))
    known = latitude >= PLACEHOLDER_DEGREES
    features["restaurant_latitude"] = np.where(known, latitude, np.nan)
    features["restaurant_longitude"] = np.where(known, longitude, np.nan)
    features["latitude_offset"] = north
    features["distance_km"] = np.hypot(north, east) * KILOMETRES_PER_DEGREE


def _add_time(features: dict[str, NDArray[Any]], columns: Columns) -> None:
    """The order's hour and weekday, taken from the pick-up where the order's own time was lost."""
    ordered = (columns["ordered_at"] - EPOCH) / SECOND
    picked_up = (columns["picked_up_at"] - EPOCH) / SECOND
    when = np.where(np.isnan(ordered), picked_up, ordered)
    features["order_hour"] = when % SECONDS_PER_DAY / 3600
    features["weekday"] = (when // SECONDS_PER_DAY + 3) % 7  # 1 January 1970 was a Thursday; Monday is 0
    features["preparation_minutes"] = (picked_up - ordered) / 60
