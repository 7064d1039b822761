"""Training rows again as a caller sends them who knows less.

Nearly one row in ten of the later weeks has a gap, but hardly one of those that may be learned from: the source of the
undated file dropped every row with a gap. Without these copies the trees hardly know what to answer there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from catalog.food_delivery.features import FEATURE_COLUMNS

RIDER, WEATHER, TRAFFIC = ["rider_age", "rider_rating"], "weather", "road_traffic"
TRIP = [WEATHER, TRAFFIC, "vehicle_condition", "distance_km"]
# Shares of the copies by what their caller lacks: any of rider and trip; all but road and distance; everything. The rest
# lack the rider. Only who lacks more than one thing lacks deliveries, festival or city: where one of these alone is
# missing the real rows took other times than usual (a blank festival: 10 to 14 minutes), which a copy would blur.
LACKS_SOME, LACKS_MOST, LACKS_ALL = 0.4, 0.1, 0.1
KINDS = np.cumsum([LACKS_SOME, LACKS_MOST, LACKS_ALL])
MOST = [*RIDER, WEATHER, "vehicle_condition", "multiple_deliveries", "festival"]
# Of the rows that lack the rider, as counted in the dated file: weather too. Traffic is mostly told by the clock.
WITHOUT_WEATHER, WITHOUT_TRAFFIC = 0.3, 0.15


def fitted_on(rows: pd.DataFrame, params: Mapping[str, Any]) -> pd.DataFrame:
    """All rows, and a share of the complete ones once more with gaps."""
    random = np.random.default_rng(params["seed"])
    complete = rows[rows[[*RIDER, WEATHER, TRAFFIC]].notna().all(axis=1)]
    chosen = random.choice(len(complete), round(params["gap_share"] * len(complete)), replace=False)
    copies = complete.iloc[chosen].copy()
    kind = np.searchsorted(KINDS, random.random(len(copies)), "right")
    _lose_some(copies, kind == 0, random)
    copies.loc[kind == 1, MOST] = np.nan
    copies.loc[kind == 2, list(FEATURE_COLUMNS)] = np.nan
    _lose_rider(copies, kind == 3, random)
    return pd.concat([rows, copies], ignore_index=True)


def _lose_some(copies: pd.DataFrame, chosen: NDArray[np.bool_], random: Generator) -> None:
    for names in (RIDER, *([name] for name in TRIP)):
        copies.loc[chosen & (random.random(len(copies)) < 0.5), names] = np.nan


def _lose_rider(copies: pd.DataFrame, chosen: NDArray[np.bool_], random: Generator) -> None:
    draw = random.random(len(copies))
    copies.loc[chosen, RIDER] = np.nan
    copies.loc[chosen & (draw < WITHOUT_WEATHER), WEATHER] = np.nan
    copies.loc[chosen & (draw < WITHOUT_TRAFFIC), TRAFFIC] = np.nan
