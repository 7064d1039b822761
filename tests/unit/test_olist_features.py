"""Features of the two Olist models: numbers worked out by hand, gaps that stay gaps."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from catalog._olist.states import STATES
from catalog.olist_delivery import definition as olist
from catalog.order_delivery import definition as order
from modelkit.definition import ModelDefinition
from modelkit.rows import RowReader


def built(definition: ModelDefinition, *requests: Mapping[str, object]) -> dict[str, list[float]]:
    reader = RowReader(definition.row)
    features = definition.build(reader.columns([reader.from_object(dict(request)) for request in requests]))
    assert tuple(sorted(features)) == tuple(sorted(definition.feature_columns))
    return {name: np.asarray(values, dtype=float).tolist() for name, values in features.items()}


def test_time_features_of_a_purchase_on_a_tuesday_afternoon() -> None:
    for module, deadline in ((olist, "hand_over_days"), (order, "dispatch_days")):
        features = built(module.DEFINITION, module.FULL)
        assert features["purchase_weekday"] == [1]
        assert features["purchase_hour"][0] == pytest.approx(15 + 4 / 60)
        assert features["purchase_week_hour"][0] == pytest.approx(24 + 15 + 4 / 60)
        assert features["purchase_month_day"] == [10]
        assert features["promised_days"][0] == pytest.approx(24 - (15 * 60 + 4) / 1440)
        assert features["promised_weekday"] == [4]
        assert features[deadline][0] == pytest.approx(3)


def test_distance_is_right_to_one_percent() -> None:
    # Campinas to Recife along the great circle.
    assert built(olist.DEFINITION, olist.FULL)["distance_km"][0] == pytest.approx(2113, rel=0.01)


def test_three_fields_give_three_features_and_gaps() -> None:
    features = built(olist.DEFINITION, olist.PLACES_ONLY)
    known = {name for name, [value] in features.items() if not np.isnan(value)}
    assert known == {"seller_zip_code_prefix", "customer_lat", "customer_lng"}


def test_a_gap_in_one_row_is_no_gap_in_its_neighbour() -> None:
    features = built(order.DEFINITION, order.SPARSE, order.FULL)
    for name in ("promised_days", "distance_km", "origin_state", "same_state", "kg_per_litre"):
        assert np.isnan(features[name]).tolist() == [True, False]
    assert features["same_state"][1] == 0


def test_every_state_that_a_request_may_name_has_a_code() -> None:
    for definition, field in ((olist.DEFINITION, "customer_state"), (order.DEFINITION, "destination_state")):
        example = dict(definition.examples[0])
        requests = [example | {field: state} for state in STATES]
        assert len(set(built(definition, *requests)[field])) == 27
