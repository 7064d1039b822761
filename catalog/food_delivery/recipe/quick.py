"""Quick models of food-delivery: a stack as it is usually put together, and CatBoost, on columns as they come."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from catboost import CatBoostRegressor
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor, StackingRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from catalog.food_delivery.recipe.cleaning import COORDINATES, TEXT
from modelkit.yardstick import QuickModel, Yardstick

NUMBERS = ("rider_age", "rider_rating", "vehicle_condition", "multiple_deliveries", "festival")
EARTH_RADIUS_KM = 6371.0


def yardstick(iterations: int) -> Yardstick:
    """Two on the rows that the seed's file has, and one that is given the undated rows, too."""
    return Yardstick(
        metric="mae",
        models=(
            QuickModel(
                name="stack of CatBoost and forest",
                columns=_plain,
                estimator=_encoded(_stack(iterations)),
                usable=_dated,
            ),
            QuickModel(
                name="CatBoost", columns=_plain, estimator=_encoded(_catboost(iterations)), usable=_dated
            ),
            QuickModel(
                name="CatBoost, undated rows too",
                columns=_plain,
                estimator=_encoded(_catboost(iterations)),
            ),
        ),
    )


def _plain(rows: pd.DataFrame) -> pd.DataFrame:
    """Columns as they come, the hour, the weekday, the minutes in the kitchen and the distance."""
    places = rows[list(COORDINATES)].abs()
    found = rows[[*NUMBERS, *TEXT]].astype(dict.fromkeys(NUMBERS, "float64")).join(places)
    ordered = rows["ordered_at"]
    return found.assign(
        hour=ordered.dt.hour + ordered.dt.minute / 60,
        weekday=ordered.dt.weekday,
        kitchen_minutes=(rows["picked_up_at"] - ordered).dt.total_seconds() / 60,
        distance_km=_haversine_km(places),
    )


def _haversine_km(places: pd.DataFrame) -> pd.Series:
    lat, lng, lat_to, lng_to = (np.radians(places[name]) for name in COORDINATES)
    chord = np.sin((lat_to - lat) / 2) ** 2 + np.cos(lat) * np.cos(lat_to) * np.sin((lng_to - lng) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(chord))


def _dated(rows: pd.DataFrame) -> pd.Series:
    return rows["time"].notna()


def _encoded(model: Any) -> Pipeline:
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-1)
    return make_pipeline(ColumnTransformer([("text", codes, list(TEXT))], remainder="passthrough"), model)


def _catboost(iterations: int) -> CatBoostRegressor:
    return CatBoostRegressor(iterations=iterations, random_seed=0, verbose=0, allow_writing_files=False)


def _stack(iterations: int) -> StackingRegressor:
    forest = RandomForestRegressor(n_estimators=max(1, iterations // 5), random_state=0, n_jobs=-1)
    return StackingRegressor(
        [("catboost", _catboost(iterations)), ("forest", forest)], GradientBoostingRegressor(random_state=0)
    )
