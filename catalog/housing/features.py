"""Request columns to model columns for housing; in the hot path, so numpy only and few calls.

A tree cuts parallel to its axes, and California's coast lies aslant: hence the axes turned by several angles.
The class of ocean proximity is not among the columns: the place tells more, and callers who leave the class out would
get worse answers. Sums are written out: a matrix product would give one row other last bits than a batch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

REQUEST_NUMBERS = (
    "median_income",
    "house_age",
    "average_rooms",
    "average_bedrooms",
    "population",
    "average_occupancy",
)
ANGLES = (30, 45, 60, 120, 150)
AXES = tuple(f"axis_{angle}" for angle in ANGLES)
# A degree of longitude in degrees of latitude, in the middle of the state.
EAST_SCALE = math.cos(math.radians(36))
COSINES = np.cos(np.radians(ANGLES))[:, np.newaxis] * EAST_SCALE
SINES = np.sin(np.radians(ANGLES))[:, np.newaxis]
# Los Angeles and San Francisco first, then other places that raise the prices around them.
CITIES = np.array(
    [
        (34.05, -118.25),
        (37.77, -122.42),
        (32.72, -117.16),
        (37.34, -121.89),
        (38.58, -121.49),
        (36.75, -119.77),
        (34.42, -119.70),
        (37.44, -122.14),
        (34.07, -118.40),
        (33.62, -117.93),
    ]
)
CITY_LATITUDES, CITY_LONGITUDES = CITIES[:, :1], CITIES[:, 1:]

PLACE = ("latitude", "longitude", *AXES)
DISTANCES = ("to_los_angeles", "to_san_francisco", "to_nearest_city")
DERIVED = ("households", "rooms", "rooms_per_person", "bedroom_share", "income_per_person", "income_in_rooms")
FEATURE_COLUMNS = (*REQUEST_NUMBERS, *DERIVED, *PLACE, *DISTANCES)

Columns = Mapping[str, NDArray[Any]]


def build(columns: Columns) -> Columns:
    """Feature columns of shape (rows,), in float64. Distances and axes are in degrees of latitude."""
    features: dict[str, NDArray[Any]] = {name: columns[name] for name in REQUEST_NUMBERS}
    _add_derived(features)
    _add_place(features, columns["latitude"], columns["longitude"])
    return features


def _add_derived(features: dict[str, NDArray[Any]]) -> None:
    """Totals of the block group, and what a person has of them."""
    people, rooms, income = (
        features["average_occupancy"],
        features["average_rooms"],
        features["median_income"],
    )
    households = features["population"] / people
    features["households"] = households
    features["rooms"] = rooms * households
    features["rooms_per_person"] = rooms / people
    features["bedroom_share"] = features["average_bedrooms"] / rooms
    features["income_per_person"] = income / people
    features["income_in_rooms"] = income * rooms


def _add_place(features: dict[str, NDArray[Any]], latitude: NDArray[Any], longitude: NDArray[Any]) -> None:
    features["latitude"], features["longitude"] = latitude, longitude
    features |= zip(AXES, COSINES * longitude + SINES * latitude, strict=True)
    north, east = latitude - CITY_LATITUDES, (longitude - CITY_LONGITUDES) * EAST_SCALE
    distances = np.sqrt(north * north + east * east)
    nearest = distances.min(axis=0)
    features |= zip(DISTANCES, (distances[0], distances[1], nearest), strict=True)
