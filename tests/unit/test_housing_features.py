"""What `features.build` of housing makes of a request."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from catalog.housing.definition import BAY, DEFINITION, REQUIRED_ONLY
from modelkit.columns import feature_matrix
from modelkit.rows import RowReader
from training.frames import RESERVED

READER = RowReader(DEFINITION.request)


def features_of(request: dict[str, Any]) -> dict[str, float]:
    built = DEFINITION.build(READER.columns([READER.from_object(request)]))
    return {name: float(built[name][0]) for name in DEFINITION.feature_columns}


def test_totals_follow_from_means_and_people() -> None:
    found = features_of(BAY | {"population": 300, "average_occupancy": 3, "average_rooms": 6})
    assert found["households"] == 100
    assert found["rooms"] == 600
    assert found["rooms_per_person"] == 2


def test_an_axis_turned_by_ninety_degrees_in_all_keeps_the_distance_to_another_place() -> None:
    here = features_of(BAY)
    there = features_of(BAY | {"latitude": 38.88})
    along = [there[name] - here[name] for name in ("axis_60", "axis_150")]
    assert np.hypot(along[0], along[1]) == pytest.approx(1)


def test_a_place_in_los_angeles_is_near_it_and_far_from_san_francisco() -> None:
    found = features_of(BAY | {"latitude": 34.05, "longitude": -118.25})
    assert found["to_los_angeles"] == found["to_nearest_city"] == 0
    assert found["to_san_francisco"] == pytest.approx(5.0, abs=0.1)


def test_what_may_be_left_out_is_missing_and_nothing_else() -> None:
    found = features_of(REQUIRED_ONLY)
    missing = {name for name, value in found.items() if np.isnan(value)}
    assert missing == {"average_bedrooms", "bedroom_share"}


def test_a_row_alone_has_the_features_it_has_in_a_batch() -> None:
    rows = [READER.from_object(dict(example)) for example in DEFINITION.examples] * 7
    together = feature_matrix(DEFINITION.build(READER.columns(rows)), DEFINITION.feature_columns)
    for row, expected in zip(rows, together, strict=True):
        alone = feature_matrix(DEFINITION.build(READER.columns([row])), DEFINITION.feature_columns)
        assert np.array_equal(alone[0], expected, equal_nan=True)


def test_the_label_is_no_feature() -> None:
    assert not set(DEFINITION.feature_columns) & {*RESERVED, DEFINITION.target}
    assert not set(DEFINITION.request.model_fields) & {*RESERVED, DEFINITION.target}
