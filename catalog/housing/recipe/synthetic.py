"""A seeded stand-in for the raw file of housing: same columns, units, caps and gaps, and prices that depend on the place."""

from __future__ import annotations

import gzip
from typing import Any

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from catalog.housing.recipe.raw import FILE

ROWS = 4_000
CAP_USD = 500_001
# Latitude, longitude, spread in degrees, share of the block groups, price level in 100k USD, place to the ocean.
TOWNS = (
    (34.00, -118.25, 0.18, 0.42, 1.1, "<1H OCEAN"),
    (37.60, -122.15, 0.15, 0.20, 1.5, "NEAR BAY"),
    (32.80, -117.10, 0.10, 0.13, 0.9, "NEAR OCEAN"),
    (38.58, -121.45, 0.20, 0.13, 0.1, "INLAND"),
    (36.75, -119.75, 0.30, 0.12, -0.2, "INLAND"),
)


def synthesise(seed: int) -> dict[str, bytes]:
    """The bytes of the raw file, by name; the same seed gives the same bytes."""
    random = np.random.default_rng(seed)
    frame = _soiled(_block_groups(random), random)
    return {FILE: gzip.compress(frame.to_csv(index=False).encode(), mtime=0)}


def _block_groups(random: Generator) -> pd.DataFrame:
    town = random.choice(len(TOWNS), ROWS, p=[town[3] for town in TOWNS])
    latitude, longitude, spread, _, level, ocean = (
        np.array(values)[town] for values in zip(*TOWNS, strict=True)
    )
    north, east = random.normal(0, spread), random.normal(0, spread)
    households = np.maximum(np.round(random.lognormal(6.0, 0.6, ROWS)), 3)
    income = np.clip(random.lognormal(1.25, 0.42, ROWS), 0.4999, 15.0001)
    rooms, people = random.normal(5.3, 0.8, ROWS).clip(2, 9), random.normal(2.9, 0.5, ROWS).clip(1.3, 6)
    bedrooms = random.normal(1.06, 0.06, ROWS).clip(0.7, 1.6)
    # Prices fall away from the middle of a town, and differ from one quarter to the next.
    quarter = 0.25 * np.sin(28 * north + 4 * town) * np.cos(24 * east)
    value = 0.35 + level + 0.42 * income - 0.8 * np.hypot(north, east) + quarter - 0.12 * (people - 2.9)
    value = value * np.exp(random.normal(0, 0.11, ROWS))
    return pd.DataFrame(
        {
            "longitude": np.round((longitude + east).clip(-124.3, -114.4), 2),
            "latitude": np.round((latitude + north).clip(32.5, 41.9), 2),
            "housing_median_age": random.integers(1, 53, ROWS),
            "total_rooms": _count(rooms * households),
            "total_bedrooms": _count(bedrooms * households),
            "population": _count(people * households),
            "households": households,
            "median_income": np.round(income, 4),
            "median_house_value": np.round(value * 1e5, -2).clip(14_999, CAP_USD),
            "ocean_proximity": ocean,
        }
    )


def _count(values: NDArray[Any]) -> NDArray[Any]:
    return np.maximum(np.round(values), 1)


def _soiled(frame: pd.DataFrame, random: Generator) -> pd.DataFrame:
    """One bedroom count in a hundred is missing, and a few block groups lie on an island or are a barrack."""
    frame.loc[random.random(ROWS) < 0.01, "total_bedrooms"] = np.nan
    frame.loc[random.choice(ROWS, 4, replace=False), "ocean_proximity"] = "ISLAND"
    barracks = random.choice(ROWS, 6, replace=False)
    frame.loc[barracks, "population"] = frame.loc[barracks, "households"] * 60
    return frame
