"""What is expected of the raw files of food-delivery, and how much of the known dirt is usual."""

from __future__ import annotations

from typing import Any

import pandera.pandas as pa

from catalog.food_delivery.recipe.raw import DATED, REQUESTS, UNDATED

# `12:30`, `12:30:00`, `24:05`, and what a spreadsheet made of them: a fraction of a day.
CLOCK = r"^(\d{1,2}:\d{2}(:\d{2})?|[01](\.\d+)?)$"


def _column(kind: type, *checks: pa.Check, tolerated: float = 0.0, **more: Any) -> pa.Column:
    return pa.Column(kind, list(checks), metadata={"tolerated": tolerated}, **more)


def _rider_and_places() -> dict[str, pa.Column]:
    places = {
        f"{place}_{axis}": _column(float, pa.Check.in_range(-limit, limit))
        for place in ("Restaurant", "Delivery_location")
        for axis, limit in (("latitude", 90), ("longitude", 180))
    }
    return {
        "ID": _column(str),
        "Delivery_person_ID": _column(str, tolerated=0.01),
        "Delivery_person_Age": _column(float, pa.Check.in_range(18, 100), tolerated=0.1),
        "Delivery_person_Ratings": _column(float, pa.Check.in_range(1, 5), tolerated=0.1),
        **places,
    }


def _trip() -> dict[str, pa.Column]:
    return {
        "Road_traffic_density": _column(str, pa.Check.isin(["Low", "Medium", "High", "Jam"]), tolerated=0.05),
        "Vehicle_condition": _column(float, pa.Check.isin([0, 1, 2, 3])),
        "multiple_deliveries": _column(float, pa.Check.isin([0, 1, 2, 3]), tolerated=0.05),
        "Festival": _column(str, pa.Check.isin(["Yes", "No"]), tolerated=0.05),
        "City": _column(str, pa.Check.isin(["Metropolitian", "Urban", "Semi-Urban"]), tolerated=0.06),
    }


WEATHER = _column(
    str, pa.Check.str_matches(r"^(conditions )?(Sunny|Stormy|Sandstorms|Windy|Fog|Cloudy)$"), tolerated=0.05
)
MINUTES = _column(float, pa.Check.in_range(5, 120))
CLOCKS = {
    "Order_Date": _column(str, pa.Check.str_matches(r"^\d{2}-\d{2}-\d{4}$"), tolerated=0.01),
    "Time_Orderd": _column(str, pa.Check.str_matches(CLOCK), tolerated=0.1),
    "Time_Order_picked": _column(str, pa.Check.str_matches(CLOCK), tolerated=0.05),
}
RAW_SCHEMAS = {
    DATED: pa.DataFrameSchema(
        {
            **_rider_and_places(),
            **CLOCKS,
            **_trip(),
            "Weather_conditions": WEATHER,
            "Time_taken (min)": MINUTES,
        }
    ),
    UNDATED: pa.DataFrameSchema(
        {**_rider_and_places(), **_trip(), "Weatherconditions": WEATHER, "Time_taken(min)": MINUTES}
    ),
    REQUESTS: pa.DataFrameSchema({**_rider_and_places(), **CLOCKS, **_trip(), "Weatherconditions": WEATHER}),
}
