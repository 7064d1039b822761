"""Request columns to model columns for food-delivery; in the hot path, so numpy only and few calls.

Missing stays NaN: what stands in for it is decided inside the fitted pipeline. The one exception is the traffic, which
the clock tells. The minutes rise in steps: a column is cut off where its last step lies, since every value beyond that is
an invitation to learn noise. For the same reason the restaurant's place, the clock, the kind of vehicle and what was
ordered are not among the columns (docs/decisions/0013).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

KILOMETRES_PER_DEGREE = 111.195
EPOCH, HOUR = np.datetime64(0, "s"), np.timedelta64(1, "h")

NUMBERS = ("rider_age", "rider_rating", "vehicle_condition", "multiple_deliveries", "festival")
# Where the steps end: riders of 30 and more take longer, those rated below 4 longest, 10 km as long as any more.
FIRST_STEP, LAST_STEP = {"rider_age": 29.0, "rider_rating": 3.9}, {"rider_age": 30.0, "rider_rating": 4.6}
FAR_KM = 10.0
# Codes follow the mean delivery time, so that a tree needs few cuts; weathers of the same mean are one.
CODES: dict[str, dict[str | None, float]] = {
    "weather": {"sunny": 0, "stormy": 1, "sandstorms": 1, "windy": 1, "fog": 2, "cloudy": 2, None: math.nan},
    "road_traffic": {"low": 0, "medium": 1, "high": 2, "jam": 3, None: math.nan},
    "city": {"urban": 0, "metropolitan": 1, "semi-urban": 2, None: math.nan},
}
# Usual traffic by the hour of the day: low until 11, high until 15, medium until 19, jam until 22, then low.
TRAFFIC_BY_HOUR = np.repeat([0.0, 2.0, 1.0, 3.0, 0.0], [11, 4, 4, 3, 2])
FEATURE_COLUMNS = (*NUMBERS, *CODES, "distance_km")

Columns = Mapping[str, NDArray[Any]]


def build(columns: Columns) -> Columns:
    """Feature columns of shape (rows,), in float64."""
    features: dict[str, NDArray[Any]] = {name: columns[name] for name in NUMBERS}
    for name, first in FIRST_STEP.items():
        features[name] = np.minimum(np.maximum(columns[name], first), LAST_STEP[name])
    for name, codes in CODES.items():
        features[name] = np.array([codes[value] for value in columns[name].tolist()], dtype=np.float64)
    features["road_traffic"] = _with_usual_traffic(features["road_traffic"], columns)
    features["distance_km"] = np.minimum(_distance_km(columns), FAR_KM)
    return features


def _with_usual_traffic(traffic: NDArray[Any], columns: Columns) -> NDArray[Any]:
    """Gaps filled by the hour of the order, or of the pick-up where the order's own time was lost."""
    gaps = np.isnan(traffic)
    if not gaps.any():
        return traffic
    ordered, picked_up = columns["ordered_at"], columns["picked_up_at"]
    when = np.where(np.isnat(ordered), picked_up, ordered)
    fillable = gaps & ~np.isnat(when)
    hours = (when[fillable] - EPOCH) // HOUR % 24
    filled = traffic.copy()
    filled[fillable] = TRAFFIC_BY_HOUR[hours]
    return filled


def _distance_km(columns: Columns) -> NDArray[Any]:
    """A flipped sign is undone by the absolute value; a (0, 0) placeholder keeps its distance."""
    latitude = np.abs(columns["restaurant_latitude"])
    longitude = np.abs(columns["restaurant_longitude"])
    north = np.abs(columns["delivery_latitude"]) - latitude
    east = (np.abs(columns["delivery_longitude"]) - longitude) * np.cos(latitude * (math.pi / 180))
    kilometres: NDArray[Any] = np.hypot(north, east) * KILOMETRES_PER_DEGREE
    return kilometres
