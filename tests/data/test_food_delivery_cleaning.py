"""Every kind of dirt in the raw food-delivery files: read, repaired or blanked, and counted."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from catalog.food_delivery.definition import DEFINITION
from catalog.food_delivery.recipe import synthesise
from catalog.food_delivery.recipe.cleaning import clean, label_of, minutes_of
from catalog.food_delivery.recipe.raw import DATED, REQUESTS, read_raw
from modelkit.rows import RowReader
from training.frames import to_requests

ROW = {
    "ID": "0x1",
    "Delivery_person_ID": "BANGRES01DEL01",
    "Delivery_person_Age": "32",
    "Delivery_person_Ratings": "4.6",
    "Restaurant_latitude": "12.9",
    "Restaurant_longitude": "77.6",
    "Delivery_location_latitude": "12.95",
    "Delivery_location_longitude": "77.65",
    "Order_Date": "18-03-2022",
    "Time_Orderd": "19:45",
    "Time_Order_picked": "19:55",
    "Weather_conditions": "Fog",
    "Road_traffic_density": "Jam",
    "Vehicle_condition": "2",
    "Type_of_order": "Snack",
    "Type_of_vehicle": "motorcycle",
    "multiple_deliveries": "1.0",
    "Festival": "No",
    "City": "Metropolitian",
    "Time_taken (min)": "33",
}


def cleaned(tmp_path: Path, **changes: str) -> tuple[dict[str, object], Counter[str]]:
    path = tmp_path / "raw.csv"
    pd.DataFrame([ROW | changes]).to_csv(path, index=False)
    repaired: Counter[str] = Counter()
    [row] = clean(read_raw(path), repaired).to_dict("records")
    return row, repaired


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("19:45", 1185), ("19:45:00", 1185), ("24:05", 1445), ("0.791666667", 1140), ("1", 1440), ("0", 0)],
)
def test_a_time_is_read_in_every_spelling(text: str, minutes: int) -> None:
    assert minutes_of(text) == minutes


@pytest.mark.parametrize("text", [None, "soon", "x:y"])
def test_what_is_no_time_is_missing(text: str | None) -> None:
    assert math.isnan(minutes_of(text))


def test_a_target_with_its_unit_in_front_is_read() -> None:
    assert label_of(pd.Series(["(min) 24", "31", None], dtype=object)).tolist()[:2] == [24, 31]


def test_a_clean_row_is_repaired_nowhere(tmp_path: Path) -> None:
    row, repaired = cleaned(tmp_path)
    assert repaired == Counter()
    assert row["weather"] == "fog"
    assert row["city"] == "metropolitan"
    assert row["ordered_at"] == pd.Timestamp("2022-03-18 19:45")


@pytest.mark.parametrize(
    ("order", "pick_up", "expected"),
    [("23:55", "24:05", "00:05"), ("23:55", "00:05", "00:05"), ("0.958333333", "23:10", None)],
)
def test_a_pick_up_past_midnight_is_on_the_next_day(
    tmp_path: Path, order: str, pick_up: str, expected: str | None
) -> None:
    row, repaired = cleaned(tmp_path, Time_Orderd=order, Time_Order_picked=pick_up)
    day = f"2022-03-19 {expected}" if expected else "2022-03-18 23:10"
    assert row["picked_up_at"] == pd.Timestamp(day)
    assert repaired.total() == 1


@pytest.mark.parametrize(
    ("column", "value", "field"),
    [
        ("Delivery_person_Ratings", "6.0", "rider_rating"),
        ("Delivery_person_Age", "15", "rider_age"),
        ("Weather_conditions", "Locusts", "weather"),
    ],
)
def test_a_value_that_cannot_be_is_blanked_and_counted(
    tmp_path: Path, column: str, value: str, field: str
) -> None:
    row, repaired = cleaned(tmp_path, **{column: value})
    assert pd.isna(row[field])
    assert [reason.split()[0] for reason in repaired] == [field]


def test_a_negative_coordinate_stays_as_it_came_and_is_counted(tmp_path: Path) -> None:
    row, repaired = cleaned(tmp_path, Restaurant_latitude="-12.9")
    assert row["restaurant_latitude"] == -12.9
    assert repaired == Counter({"negative coordinate, sign undone": 1})


@pytest.mark.parametrize("spelling", ["", "NaN ", "conditions NaN"])
def test_every_spelling_of_missing_is_missing(tmp_path: Path, spelling: str) -> None:
    row, repaired = cleaned(tmp_path, Weather_conditions=spelling, City=spelling)
    assert row["weather"] is None
    assert row["city"] is None
    assert repaired == Counter()


def test_every_unlabelled_row_becomes_a_valid_request(tmp_path: Path) -> None:
    (tmp_path / REQUESTS).write_bytes(synthesise(5)[REQUESTS])
    raw = read_raw(tmp_path / REQUESTS)
    requests = to_requests(clean(raw, Counter()), DEFINITION.request)
    reader = RowReader(DEFINITION.request)
    assert len([reader.from_object(request) for request in requests]) == len(raw)


def test_the_synthetic_files_have_the_dirt_of_the_real_ones(tmp_path: Path) -> None:
    (tmp_path / DATED).write_bytes(synthesise(5)[DATED])
    raw = read_raw(tmp_path / DATED)
    repaired: Counter[str] = Counter()
    clean(raw, repaired)
    assert {reason.split(",")[0] for reason in repaired} >= {
        "rider_age outside 18..100",
        "rider_rating outside 1..5",
        "time as a fraction of a day",
        "hour of 24 or more",
        "negative coordinate",
        "placeholder coordinate",
    }
    gaps = ("rider_age", "rider_rating", "Time_Orderd", "weather", "road_traffic", "festival", "city")
    assert (raw[list(gaps)].isna().sum() > 0).all()
