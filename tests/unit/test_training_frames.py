"""Lock 1 against skew: prepared rows are valid requests, and their columns are the request's fields."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from catalog.food_delivery.definition import DEFINITION, FULL
from modelkit.rows import RowReader
from training.errors import PreparedDataInvalid
from training.frames import RESERVED, check_prepared, to_columns, to_requests

REQUEST = DEFINITION.request


@pytest.fixture
def rows() -> pd.DataFrame:
    values = {name: FULL.get(name) for name in REQUEST.model_fields}
    frame = pd.DataFrame([values, dict.fromkeys(values)] * 2)
    for name in ("ordered_at", "picked_up_at"):
        frame[name] = pd.to_datetime(frame[name]).astype("datetime64[s]")
    day = pd.Timestamp("2022-03-18")
    return frame.assign(
        label=30.0, time=day, known_at=day, entity="r", split=["train", "valid", "test", "test"]
    )


def test_prepared_rows_that_are_valid_requests_pass(rows: pd.DataFrame) -> None:
    check_prepared(rows, REQUEST)


def test_a_column_that_no_request_has_is_refused(rows: pd.DataFrame) -> None:
    rows.insert(0, "tip", 1.0)
    with pytest.raises(PreparedDataInvalid, match="tip"):
        check_prepared(rows, REQUEST)


def test_a_column_that_a_request_has_and_rows_lack_is_refused(rows: pd.DataFrame) -> None:
    with pytest.raises(PreparedDataInvalid, match="weather"):
        check_prepared(rows.drop(columns="weather"), REQUEST)


def test_a_value_that_no_request_may_have_is_refused(rows: pd.DataFrame) -> None:
    rows.loc[0, "rider_rating"] = 6.0
    with pytest.raises(PreparedDataInvalid, match="row 0"):
        check_prepared(rows, REQUEST)


def test_a_missing_split_is_refused(rows: pd.DataFrame) -> None:
    with pytest.raises(PreparedDataInvalid, match="valid"):
        check_prepared(rows.assign(split="train"), REQUEST)


def test_a_row_as_a_request_is_what_the_caller_would_have_sent(rows: pd.DataFrame) -> None:
    full, empty, *_ = to_requests(rows, REQUEST)
    assert full == FULL
    assert empty == {}


def test_columns_of_prepared_rows_are_those_of_the_same_requests(rows: pd.DataFrame) -> None:
    reader = RowReader(REQUEST)
    served = reader.columns([reader.from_object(row) for row in to_requests(rows, REQUEST)])
    trained = to_columns(rows, REQUEST)
    assert list(trained) == list(served)
    for name, column in served.items():
        assert trained[name].dtype == column.dtype, name
        if column.dtype.kind == "O":
            assert trained[name].tolist() == column.tolist()
        else:
            assert np.array_equal(trained[name], column, equal_nan=True)


def test_reserved_columns_are_no_request_fields() -> None:
    assert not set(RESERVED) & set(REQUEST.model_fields)
