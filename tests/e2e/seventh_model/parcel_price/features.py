"""Request columns to model columns for parcel-price; in the hot path, so numpy only."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

ZONES: dict[str | None, float] = {"city": 0, "land": 1, "island": 2, None: math.nan}
FEATURE_COLUMNS = ("weight_kg", "distance_km", "zone")


def build(columns: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
    """Feature columns of shape (rows,)."""
    zone = np.array([ZONES[value] for value in columns["zone"].tolist()], dtype=np.float64)
    return {"weight_kg": columns["weight_kg"], "distance_km": columns["distance_km"], "zone": zone}
