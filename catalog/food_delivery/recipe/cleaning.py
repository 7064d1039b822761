"""Raw text of food-delivery to the values of its request schema. What is repaired or blanked is counted, by reason."""

from __future__ import annotations

import math
from collections import Counter

import pandas as pd

TEXT = ("weather", "road_traffic", "order_type", "vehicle_type", "city")
COORDINATES = ("restaurant_latitude", "restaurant_longitude", "delivery_latitude", "delivery_longitude")
# Range of what a value can be. Outside it the value is a placeholder (rating 6, age 15) and is blanked.
RANGES = {
    "rider_age": (18, 100),
    "rider_rating": (1, 5),
    "vehicle_condition": (0, 3),
    "multiple_deliveries": (0, 3),
    "restaurant_latitude": (-90, 90),
    "restaurant_longitude": (-180, 180),
    "delivery_latitude": (-90, 90),
    "delivery_longitude": (-180, 180),
}
KNOWN = {
    "weather": {"sunny", "stormy", "sandstorms", "windy", "fog", "cloudy"},
    "road_traffic": {"low", "medium", "high", "jam"},
    "order_type": {"meal", "snack", "drinks", "buffet"},
    "vehicle_type": {"motorcycle", "scooter", "electric_scooter", "bicycle"},
    "city": {"urban", "metropolitan", "semi-urban"},
}
MINUTES_PER_DAY = 1440


def clean(raw: pd.DataFrame, repaired: Counter[str]) -> pd.DataFrame:
    """Request columns, with entity, order date (`time`) and id, row for row as in `raw`."""
    frame = pd.DataFrame({"id": raw["id"], "entity": raw["entity"]}, index=raw.index)
    for name, (low, high) in RANGES.items():
        values = pd.to_numeric(raw[name], errors="coerce")
        inside = values.between(low, high)
        _count(repaired, f"{name} outside {low}..{high}, blanked", values.notna() & ~inside)
        frame[name] = values.where(inside)
    for name in TEXT:
        frame[name] = _text(raw[name], name, repaired)
    frame["festival"] = raw["festival"].map({"No": 0.0, "Yes": 1.0}).astype(float)
    _count_coordinates(frame, repaired)
    return frame.join(_times(raw, repaired))


def minutes_of(text: str | None) -> float:
    """Minutes since midnight of `HH:MM`, `HH:MM:SS` or a fraction of a day; NaN for anything else."""
    if text is None:
        return math.nan
    try:
        if ":" in text:
            hours, minutes = text.split(":")[:2]
            return 60 * int(hours) + int(minutes)
        return float(round(float(text) * MINUTES_PER_DAY))
    except ValueError:
        return math.nan


def label_of(text: pd.Series) -> pd.Series:
    """The target as a number, also where it reads `(min) 24`."""
    return pd.to_numeric(text.str.replace("(min)", "", regex=False), errors="coerce")


def _text(raw: pd.Series, name: str, repaired: Counter[str]) -> pd.Series:
    values = raw.str.removeprefix("conditions ").str.lower().replace("metropolitian", "metropolitan")
    values = values.astype(object)
    known = values.isin(KNOWN[name])
    _count(repaired, f"{name} not a known category, blanked", values.notna() & ~known)
    return values.where(known, None)


def _times(raw: pd.DataFrame, repaired: Counter[str]) -> pd.DataFrame:
    """Order date, order time and pick-up time. A clock past midnight, in either spelling, belongs to the next day."""
    missing = pd.Series(pd.NaT, index=raw.index, dtype="datetime64[s]")
    if "Order_Date" not in raw:
        return pd.DataFrame({"time": missing, "ordered_at": missing, "picked_up_at": missing})
    date = pd.to_datetime(raw["Order_Date"], format="%d-%m-%Y", errors="coerce").astype("datetime64[s]")
    ordered, picked_up = raw["Time_Orderd"].map(minutes_of), raw["Time_Order_picked"].map(minutes_of)
    _count(repaired, "time as a fraction of a day, read", ~raw["Time_Orderd"].fillna(":").str.contains(":"))
    _count(repaired, "hour of 24 or more, next day", picked_up >= MINUTES_PER_DAY)
    _count(repaired, "pick-up past midnight, next day", picked_up < ordered)
    picked_up = picked_up.where(~(picked_up < ordered), picked_up + MINUTES_PER_DAY)
    return pd.DataFrame(
        {"time": date, "ordered_at": _at(date, ordered), "picked_up_at": _at(date, picked_up)},
    )


def _at(date: pd.Series, minutes: pd.Series) -> pd.Series:
    return (date + pd.to_timedelta(minutes.astype(float), unit="min")).astype("datetime64[s]")


def _count_coordinates(frame: pd.DataFrame, repaired: Counter[str]) -> None:
    """Counted here, repaired in `features.build`, so that a request with the same dirt is answered the same way."""
    _count(repaired, "negative coordinate, sign undone", (frame[list(COORDINATES)] < 0).any(axis=1))
    _count(repaired, "placeholder coordinate, distance kept", frame["restaurant_latitude"].abs() < 1)


def _count(counter: Counter[str], reason: str, rows: pd.Series) -> None:
    if found := int(rows.sum()):
        counter[reason] += found
