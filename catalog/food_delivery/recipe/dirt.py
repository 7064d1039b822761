"""The dirt of the real food-delivery files, put into clean synthetic ones at about the real rates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

EMPTY_SHARES = {
    "Delivery_person_Age": 0.042,
    "Delivery_person_Ratings": 0.043,
    "Time_Orderd": 0.039,
    "Weather_conditions": 0.014,
    "Road_traffic_density": 0.014,
    "multiple_deliveries": 0.022,
    "Festival": 0.005,
    "City": 0.026,
}
COORDINATES = (
    "Restaurant_latitude",
    "Restaurant_longitude",
    "Delivery_location_latitude",
    "Delivery_location_longitude",
)


def soil(orders: pd.DataFrame, random: Generator) -> pd.DataFrame:
    """Gaps, fractions of a day, flipped signs, (0, 0) restaurants, ratings of 6 and riders of 15."""
    dirty = orders.copy()
    _spoil_coordinates(dirty, random)
    impossible = _pick(random, len(dirty), 0.0014)
    dirty.loc[impossible, ["Delivery_person_Age", "Delivery_person_Ratings"]] = ["50", "6.0"]
    dirty.loc[_pick(random, len(dirty), 0.0005), "Delivery_person_Age"] = "15"
    for name in ("Time_Orderd", "Time_Order_picked"):
        fraction = _pick(random, len(dirty), 0.09) & dirty[name].str.endswith(":00")
        hours = dirty.loc[fraction, name].str[:2].astype(int)
        dirty.loc[fraction, name] = (hours / 24).round(9).astype(str)
    for name, share in EMPTY_SHARES.items():
        dirty.loc[_pick(random, len(dirty), share), name] = ""
    return dirty


def as_requests(orders: pd.DataFrame) -> pd.DataFrame:
    """The dialect of the unlabelled file: trailing blanks, `NaN ` for missing, seconds, a prefix before the weather."""
    requests = orders.drop(columns="Time_taken (min)").replace("", "NaN")
    requests["Weather_conditions"] = "conditions " + requests["Weather_conditions"]
    for name in ("Time_Orderd", "Time_Order_picked"):
        requests[name] = requests[name].where(~requests[name].str.contains(":"), requests[name] + ":00")
    for name in (
        "ID",
        "Delivery_person_ID",
        "Road_traffic_density",
        "Type_of_order",
        "Type_of_vehicle",
        "Festival",
    ):
        requests[name] = requests[name] + " "
    return requests.rename(columns={"Weather_conditions": "Weatherconditions"})


def _spoil_coordinates(orders: pd.DataFrame, random: Generator) -> None:
    places = orders[list(COORDINATES)].astype(float)
    flipped = _pick(random, len(orders), 0.01)
    places.loc[flipped, list(COORDINATES[:2])] *= -1
    unknown = _pick(random, len(orders), 0.081) & ~flipped
    start = places.loc[unknown, list(COORDINATES[:2])].to_numpy()
    places.loc[unknown, list(COORDINATES)] -= np.hstack([start, start])
    orders[list(COORDINATES)] = places.round(6).astype(str)


def _pick(random: Generator, rows: int, share: float) -> NDArray[Any]:
    return np.asarray(random.random(rows) < share)
