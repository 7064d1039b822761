"""Training rows again as a caller sends them who does not know the rider, nor perhaps the weather.

Two rows in fifty lack rider and rating, but nearly none of those that may be learned from: the source of the undated
file dropped every row with a gap. Without these copies the trees hardly know what to answer there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from catalog.food_delivery.features import FEATURE_COLUMNS

RIDER, WEATHER, TRAFFIC = ["rider_age", "rider_rating"], "weather", "road_traffic"
# Of the rows that lack the rider, as counted in the dated file: weather too. Traffic is mostly told by the clock.
WITHOUT_WEATHER, WITHOUT_TRAFFIC = 0.3, 0.15
# Nothing is required of a request: of the copies this share knows nothing at all, and teaches the usual answer.
WITHOUT_ANYTHING = 0.1


def fitted_on(rows: pd.DataFrame, params: Mapping[str, Any]) -> pd.DataFrame:
    """All rows, and a share of the complete ones once more with gaps."""
    random = np.random.default_rng(params["seed"])
    complete = rows[rows[[*RIDER, WEATHER, TRAFFIC]].notna().all(axis=1)]
    chosen = random.choice(len(complete), round(params["gap_share"] * len(complete)), replace=False)
    copies = complete.iloc[chosen].copy()
    copies[RIDER] = np.nan
    draw = random.random(len(copies))
    copies.loc[draw < WITHOUT_WEATHER, WEATHER] = np.nan
    copies.loc[draw < WITHOUT_TRAFFIC, TRAFFIC] = np.nan
    copies.loc[random.random(len(copies)) < WITHOUT_ANYTHING, list(FEATURE_COLUMNS)] = np.nan
    return pd.concat([rows, copies], ignore_index=True)
