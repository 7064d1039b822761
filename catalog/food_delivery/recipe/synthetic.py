"""A seeded stand-in for the raw files of food-delivery: same files, columns, units and dirt, no account needed."""

from __future__ import annotations

import gzip
from typing import Any

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from catalog.food_delivery.recipe.dirt import as_requests, soil
from catalog.food_delivery.recipe.raw import DATED, REQUESTS, UNDATED

ROWS = {DATED: 6_000, UNDATED: 6_000, REQUESTS: 2_000}
FIRST_DAY = pd.Timestamp("2022-02-11")
DAYS = 55
CITIES = {"BANG": (12.97, 77.6), "MUM": (19.1, 72.85), "JAP": (26.9, 75.8), "HYD": (17.43, 78.41)}
WEATHER = {"Sunny": -4.0, "Stormy": 0.0, "Sandstorms": 0.0, "Windy": 0.2, "Fog": 2.4, "Cloudy": 2.6}
TRAFFIC = {"Low": -4.5, "Medium": 0.0, "High": 0.8, "Jam": 4.3}


def synthesise(seed: int) -> dict[str, bytes]:
    """The bytes of every raw file, by name; the same seed gives the same bytes."""
    random = np.random.default_rng(seed)
    dated = soil(_orders(random, ROWS[DATED]), random)
    undated = _orders(random, ROWS[UNDATED]).drop(columns=["Order_Date", "Time_Orderd", "Time_Order_picked"])
    # Part of the undated file repeats dated rows, some of them without saying so, as in the real files.
    copies = dated.sample(600, random_state=seed)[undated.columns].replace("", np.nan).dropna()
    undated = pd.concat(
        [undated.assign(in_train_raw="0"), copies.assign(in_train_raw="1")], ignore_index=True
    )
    undated.loc[undated.index[-100:], "in_train_raw"] = "0"
    undated = undated.rename(
        columns={"Weather_conditions": "Weatherconditions", "Time_taken (min)": "Time_taken(min)"}
    )
    requests = as_requests(soil(_orders(random, ROWS[REQUESTS]), random))
    frames = {DATED: dated, UNDATED: undated, REQUESTS: requests}
    return {
        name: gzip.compress(frame.to_csv(index=False).encode(), mtime=0) for name, frame in frames.items()
    }


def _orders(random: Generator, rows: int) -> pd.DataFrame:
    """Clean orders as text, target included."""
    city = random.choice(list(CITIES), rows)
    offset = random.integers(1, 14, rows) / 100
    hour = random.choice(np.arange(8, 24), rows, p=_hour_shares())
    traffic = np.where(hour < 11, "Low", np.where(hour < 16, "High", np.where(hour < 19, "Medium", "Jam")))
    traffic = np.where(hour >= 22, "Low", traffic)
    frame = pd.DataFrame(
        {
            "ID": [f"0x{number:04x}" for number in random.choice(16**5, rows, replace=False)],
            "Delivery_person_ID": _riders(random, city),
            "Delivery_person_Age": random.integers(20, 40, rows),
            "Delivery_person_Ratings": np.round(np.clip(random.normal(4.65, 0.25, rows), 2.5, 5), 1),
            **_places(random, city, offset),
            **_clock(random, hour),
            "Weather_conditions": random.choice(list(WEATHER), rows),
            "Road_traffic_density": traffic,
            "Vehicle_condition": random.integers(0, 3, rows),
            "Type_of_order": random.choice(["Meal", "Snack", "Drinks", "Buffet"], rows),
            "Type_of_vehicle": random.choice(
                ["motorcycle", "scooter", "electric_scooter"], rows, p=[0.6, 0.32, 0.08]
            ),
            "multiple_deliveries": random.choice(4, rows, p=[0.32, 0.62, 0.05, 0.01]),
            "Festival": random.choice(["No", "Yes"], rows, p=[0.98, 0.02]),
            "City": random.choice(["Metropolitian", "Urban", "Semi-Urban"], rows, p=[0.77, 0.22, 0.01]),
        }
    )
    frame["Time_taken (min)"] = _minutes(frame, offset, random)
    return frame.astype(str)


def _minutes(frame: pd.DataFrame, offset: NDArray[Any], random: Generator) -> NDArray[Any]:
    minutes = (
        25.0
        + frame["Weather_conditions"].map(WEATHER)
        + frame["Road_traffic_density"].map(TRAFFIC)
        + 45 * np.maximum(offset - 0.05, 0)
        + 0.32 * (frame["Delivery_person_Age"] - 30)
        - 6.0 * (frame["Delivery_person_Ratings"] - 4.65)
        - 2.4 * (frame["Vehicle_condition"] - 1)
        + 4.0 * frame["multiple_deliveries"].sub(1).clip(lower=0)
        + 14.0 * (frame["Festival"] == "Yes")
        + 15.0 * (frame["City"] == "Semi-Urban")
    )
    late = (frame["Delivery_person_Age"] >= 30) & (frame["Road_traffic_density"] == "Jam")
    noisy = minutes + 3.0 * late + random.normal(0, 3.6, len(frame))
    return np.asarray(noisy.round().clip(10, 54).astype(int))


def _hour_shares() -> NDArray[Any]:
    shares = np.array([2, 3, 4, 4, 2, 2, 1, 2, 2, 6, 7, 8, 8, 8, 7, 6], dtype=float)
    return np.asarray(shares / shares.sum())


def _riders(random: Generator, city: NDArray[Any]) -> list[str]:
    restaurant, rider = random.integers(1, 21, len(city)), random.integers(1, 4, len(city))
    return [f"{c}RES{r:02d}DEL{d:02d}" for c, r, d in zip(city, restaurant, rider, strict=True)]


def _places(random: Generator, city: NDArray[Any], offset: NDArray[Any]) -> dict[str, NDArray[Any]]:
    centre = np.array([CITIES[name] for name in city]) + random.normal(0, 0.05, (len(city), 2))
    latitude, longitude = np.round(centre, 6).T
    return {
        "Restaurant_latitude": latitude,
        "Restaurant_longitude": longitude,
        "Delivery_location_latitude": np.round(latitude + offset, 6),
        "Delivery_location_longitude": np.round(longitude + offset, 6),
    }


def _clock(random: Generator, hour: NDArray[Any]) -> dict[str, list[str]]:
    ordered = 60 * hour + 5 * random.integers(0, 12, len(hour))
    picked_up = ordered + random.choice([5, 10, 15], len(hour))
    day = FIRST_DAY + pd.to_timedelta(random.integers(0, DAYS, len(hour)), unit="D")
    return {
        "Order_Date": day.strftime("%d-%m-%Y").tolist(),
        "Time_Orderd": [f"{minute // 60:02d}:{minute % 60:02d}" for minute in ordered],
        "Time_Order_picked": [f"{minute // 60:02d}:{minute % 60:02d}" for minute in picked_up],
    }
