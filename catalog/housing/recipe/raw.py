"""The raw file of housing: where it comes from and what is expected of it."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandera.pandas as pa

FILE = "housing.csv.gz"
RAW_FOLDER, RAW_FILES = "housing", (FILE,)
DATA_SET = "camnugent/california-housing-prices"
OCEAN = {
    "INLAND": "inland",
    "<1H OCEAN": "within_hour_of_ocean",
    "NEAR OCEAN": "near_ocean",
    "NEAR BAY": "near_bay",
    "ISLAND": "island",
}


def _column(kind: type, check: pa.Check, *, tolerated: float = 0.0, **more: Any) -> pa.Column:
    return pa.Column(kind, check, metadata={"tolerated": tolerated}, **more)


RAW_SCHEMAS = {
    FILE: pa.DataFrameSchema(
        {
            "longitude": _column(float, pa.Check.in_range(-125, -114)),
            "latitude": _column(float, pa.Check.in_range(32, 42.5)),
            "housing_median_age": _column(float, pa.Check.in_range(0, 52)),
            "total_rooms": _column(float, pa.Check.ge(1)),
            "total_bedrooms": _column(float, pa.Check.ge(1), tolerated=0.03),
            "population": _column(float, pa.Check.ge(1)),
            "households": _column(float, pa.Check.ge(1)),
            "median_income": _column(float, pa.Check.in_range(0, 15.0001)),
            "median_house_value": _column(float, pa.Check.in_range(10_000, 500_001)),
            "ocean_proximity": _column(str, pa.Check.isin(OCEAN)),
        }
    )
}


def download(fetch: Callable[[str], Path]) -> dict[str, bytes]:
    """The published file is the raw file, unpacked."""
    return {FILE: gzip.compress((fetch(DATA_SET) / "housing.csv").read_bytes(), mtime=0)}
