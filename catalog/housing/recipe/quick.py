"""Quick models of housing: a line, a forest and boosted trees on eight columns, and boosted trees that know where cities are."""

from __future__ import annotations

import numpy as np
import pandas as pd
from catboost import CatBoostRegressor
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from modelkit.yardstick import QuickModel, Yardstick

EIGHT = [
    *("median_income", "house_age", "average_rooms", "average_bedrooms"),
    *("population", "average_occupancy", "latitude", "longitude"),
]
CITIES = {
    "los_angeles": (34.05, -118.25),
    "san_francisco": (37.77, -122.42),
    "san_diego": (32.72, -117.16),
    "san_jose": (37.34, -121.89),
    "sacramento": (38.58, -121.49),
}
OCEAN = "ocean_proximity"


def yardstick(iterations: int) -> Yardstick:
    classes = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), [OCEAN]), remainder="passthrough"
    )
    forest = RandomForestRegressor(n_estimators=max(1, iterations // 10), random_state=0, n_jobs=-1)
    return Yardstick(
        metric="rmse",
        models=(
            QuickModel(
                name="line", columns=_eight, estimator=make_pipeline(SimpleImputer(), LinearRegression())
            ),
            QuickModel(name="forest", columns=_eight, estimator=make_pipeline(SimpleImputer(), forest)),
            QuickModel(name="CatBoost", columns=_eight, estimator=_catboost(iterations)),
            QuickModel(
                name="CatBoost with geography",
                columns=_with_geography,
                estimator=make_pipeline(classes, _catboost(iterations)),
            ),
        ),
    )


def _eight(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[EIGHT]


def _with_geography(rows: pd.DataFrame) -> pd.DataFrame:
    """Also the class of the ocean, distances in degrees, axes that follow the coast, and shares of rooms and people."""
    found = rows[[*EIGHT, OCEAN]].assign(
        along_coast=rows["latitude"] + rows["longitude"],
        from_coast=rows["latitude"] - rows["longitude"],
        bedroom_share=rows["average_bedrooms"] / rows["average_rooms"],
        rooms_per_person=rows["average_rooms"] / rows["average_occupancy"],
    )
    for name, (latitude, longitude) in CITIES.items():
        found[name] = np.hypot(rows["latitude"] - latitude, rows["longitude"] - longitude)
    return found


def _catboost(iterations: int) -> CatBoostRegressor:
    return CatBoostRegressor(iterations=iterations, random_seed=0, verbose=0, allow_writing_files=False)
