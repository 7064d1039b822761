"""What `features.build` of food-delivery makes of a request, clean or dirty."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from catalog.food_delivery.definition import DEFINITION, FULL
from modelkit.columns import feature_matrix
from modelkit.rows import RowReader


def features_of(*requests: dict[str, Any]) -> dict[str, list[float]]:
    reader = RowReader(DEFINITION.request)
    built = DEFINITION.build(reader.columns([reader.from_object(request) for request in requests]))
    return {name: built[name].tolist() for name in DEFINITION.feature_columns}


def test_distance_is_in_kilometres() -> None:
    assert features_of(FULL)["distance_km"] == [pytest.approx(7.77, abs=0.01)]


def test_a_flipped_sign_changes_nothing() -> None:
    flipped = FULL | {"restaurant_latitude": -12.9341, "restaurant_longitude": -77.6152}
    assert features_of(flipped) == features_of(FULL)


def test_a_placeholder_keeps_its_distance() -> None:
    placeholder = {
        "restaurant_latitude": 0.0,
        "restaurant_longitude": 0.0,
        "delivery_latitude": 0.05,
        "delivery_longitude": 0.05,
    }
    assert features_of(FULL | placeholder)["distance_km"] == [pytest.approx(7.86, abs=0.01)]


@pytest.mark.parametrize(
    ("field", "values", "expected"),
    [
        ("rider_age", (20, 29, 30, 39), [29, 29, 30, 30]),
        ("rider_rating", (2.5, 3.9, 4.5, 4.6, 5.0), [3.9, 3.9, 4.5, 4.6, 4.6]),
    ],
)
def test_beyond_its_last_step_a_value_changes_nothing(
    field: str, values: tuple[float, ...], expected: list[float]
) -> None:
    assert features_of(*({field: value} for value in values))[field] == expected


def test_far_is_as_far_as_ten_kilometres() -> None:
    places = {"restaurant_latitude": 12.9, "restaurant_longitude": 77.6, "delivery_longitude": 77.6}
    found = features_of(*(places | {"delivery_latitude": latitude} for latitude in (12.95, 13.0, 13.4)))
    assert found["distance_km"] == [pytest.approx(5.56, abs=0.01), 10.0, 10.0]


def test_weathers_that_take_as_long_are_one() -> None:
    names = ("sunny", "stormy", "sandstorms", "windy", "fog", "cloudy")
    assert features_of(*({"weather": name} for name in names))["weather"] == [0, 1, 1, 1, 2, 2]


def test_an_empty_request_has_every_feature_missing() -> None:
    assert all(np.isnan(values).all() for values in features_of({}).values())


@pytest.mark.parametrize(
    ("clock", "traffic"),
    [("10:59", 0), ("11:00", 2), ("15:00", 1), ("19:00", 3), ("21:59", 3), ("22:00", 0), ("00:10", 0)],
)
def test_traffic_that_nobody_told_is_what_is_usual_at_the_hour(clock: str, traffic: float) -> None:
    request = {"ordered_at": f"2022-03-18T{clock}:00"}
    assert features_of(request)["road_traffic"] == [traffic]


def test_a_lost_order_time_is_taken_from_the_pick_up() -> None:
    assert features_of({"picked_up_at": "2022-03-18T19:55:00"})["road_traffic"] == [3.0]


def test_traffic_that_was_told_stays_whatever_the_clock_says() -> None:
    told: dict[str, Any] = {"road_traffic": "low", "ordered_at": "2022-03-18T20:00:00"}
    found = features_of(told, {}, FULL)["road_traffic"]
    assert found[0] == 0.0
    assert np.isnan(found[1])
    assert found[2] == 3.0


def test_traffic_codes_rise_with_the_traffic() -> None:
    found = features_of(*({"road_traffic": traffic} for traffic in ("low", "medium", "high", "jam")))
    assert found["road_traffic"] == [0.0, 1.0, 2.0, 3.0]


def test_a_row_alone_has_the_features_it_has_in_a_batch() -> None:
    reader = RowReader(DEFINITION.request)
    rows = [reader.from_object(dict(example)) for example in DEFINITION.examples]
    together = feature_matrix(DEFINITION.build(reader.columns(rows)), DEFINITION.feature_columns)
    for row, expected in zip(rows, together, strict=True):
        alone = feature_matrix(DEFINITION.build(reader.columns([row])), DEFINITION.feature_columns)
        assert np.array_equal(alone[0], expected, equal_nan=True)
