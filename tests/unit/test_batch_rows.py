"""Whole columns and single rows are read alike: the quick way may doubt anything, and may be wrong about nothing."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Annotated, Any, Literal

import numpy as np
import pyarrow as pa
import pytest
from annotated_types import Ge, Gt, Le, Lt
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field, NaiveDatetime, ValidationError

from modelkit.rows import RowReader
from modelkit.schema import RequestModel, field_errors
from training.batch.fields import fields_of
from training.batch.rows import TableReader, row_body


class Everything(RequestModel):
    """A field of each kind, bounded on each side, needed or not."""

    ratio: Annotated[float, Ge(0), Lt(1)]
    weight: Annotated[float, Gt(-5), Le(5)] | None = None
    count: int | None = Field(default=3, ge=0, le=9)
    sure: bool | None = None
    at: NaiveDatetime | None = None
    day: date | None = None
    colour: Literal["red", "green"] | None = None
    place: str | None = Field(default=None, min_length=2, max_length=4, pattern="^[a-zé ]+$")


class Mixed(RequestModel):
    """A field that no column can be held to as a whole."""

    size: Annotated[int, Ge(0)] | Annotated[float, Lt(0)] | None = None


FIELDS = fields_of(Everything)
NUMBERS = (
    *("0", "0.5", "1", "-1", "-0.0", "0.99999999999999999", "1e-3", "1E2", ".5", "5.", "007", "3.0", "9.0"),
    *(
        "+1",
        "1_0",
        "0x1",
        "nan",
        "NaN",
        "inf",
        "-inf",
        "Infinity",
        "1e999",
        "-1e-999",
        "1,5",
        " 1",
        "1 ",
        "--1",
    ),
    *("9007199254740993", "123456789012345678901234567890", "9" * 500, "4.5", "5.0000000000000001", "٣"),
)
TIMES = (
    *("2022-03-18T19:45:00", "2022-03-18 19:45:00", "2022-03-18", "2022-03-18T19:45", "2022-03-18T19:45:00Z"),
    *("2022-03-18T19:45:00.5", "2022-03-18T19:45:00.000", "2022-02-30T00:00:00", "0000-01-01T00:00:00"),
    *(
        "2022-03-18T24:00:00",
        "2022-03-18T23:59:60",
        "2022-03-18t19:45:00",
        "1647632700",
        "2022-03-18T19:45:00+01",
    ),
)
WORDS = (
    "true",
    "True",
    "FALSE",
    "1",
    "0",
    "yes",
    "red",
    "green",
    "Red",
    "NaN",
    "ab",
    "a",
    "abcde",
    "é ",
    "a\nb",
    "\x00a",
)
cells = (
    st.none()
    | st.sampled_from([*NUMBERS, *TIMES, *WORDS])
    | st.floats().map(repr)
    | st.text(min_size=1, max_size=6)
)
text_rows = st.lists(
    st.fixed_dictionaries({name: cells for name in Everything.model_fields}), min_size=1, max_size=30
)
likely_rows = st.lists(
    st.fixed_dictionaries(
        {
            "ratio": st.floats(-0.1, 1.1).map(repr),
            "weight": st.none() | st.floats(-6, 6).map(repr),
            "count": st.none() | st.integers(-1, 10).map(str),
            "sure": st.none() | st.sampled_from(["true", "False", "1.0"]),
            "at": st.none() | st.datetimes().map(lambda value: value.isoformat()),
            "day": st.none() | st.dates().map(str),
            "colour": st.sampled_from([None, "red", "green", "blue"]),
            "place": st.none() | st.text("abé ", min_size=1, max_size=5),
        }
    ),
    min_size=1,
    max_size=30,
)


def one_by_one(rows: list[dict[str, Any]], *, is_text: bool) -> tuple[list[int], list[Any], dict[int, Any]]:
    """The places and structs of valid rows, and the findings of the others, as serving's reader gives them."""
    reader, kept, structs, refused = RowReader(Everything), [], [], {}
    for place, row in enumerate(rows):
        body = row_body(row, FIELDS, is_text=is_text)
        try:
            checked = Everything.model_validate_json(body)
        except ValidationError as error:
            refused[place] = field_errors(error, row=place)
            continue
        kept.append(place)
        structs.append(reader.decode_one(checked.model_dump_json()))
    return kept, structs, refused


def assert_same(rows: list[dict[str, Any]], table: Any, *, is_text: bool) -> None:
    found = TableReader(Everything, is_text=is_text).read(table)
    kept, structs, refused = one_by_one(rows, is_text=is_text)
    assert found.kept.tolist() == kept
    assert {item.row: item.errors for item in found.rejected} == refused
    if structs:
        for name, values in RowReader(Everything).columns(structs).items():
            assert found.columns[name].dtype == values.dtype
            if values.dtype == object:
                assert found.columns[name].tolist() == values.tolist()
            else:
                np.testing.assert_array_equal(found.columns[name], values)


@settings(max_examples=150, deadline=None)
@given(text_rows | likely_rows)
def test_a_column_of_text_is_read_as_its_rows_are(rows: list[dict[str, Any]]) -> None:
    schema = pa.schema([(name, pa.string()) for name in Everything.model_fields])
    assert_same(rows, pa.Table.from_pylist(rows, schema=schema), is_text=True)


TYPED = {
    "ratio": (pa.float32(), st.none() | st.floats(-0.5, 1.5, width=32)),
    "weight": (pa.float64(), st.none() | st.floats()),
    "count": (pa.int64(), st.none() | st.integers(-1, 2**60)),
    "sure": (pa.bool_(), st.none() | st.booleans()),
    "at": (pa.timestamp("us"), st.none() | st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31))),
    "day": (pa.date32(), st.none() | st.dates()),
    "colour": (pa.dictionary(pa.int8(), pa.string()), st.sampled_from([None, "red", "blue"])),
    "place": (pa.large_string(), st.none() | st.text("abé", max_size=5)),
}


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries({name: cell for name, (_, cell) in TYPED.items()}), min_size=1, max_size=30
    )
)
def test_a_typed_column_is_read_as_its_rows_are(rows: list[dict[str, Any]]) -> None:
    schema = pa.schema([(name, kind) for name, (kind, _) in TYPED.items()])
    table = pa.Table.from_pylist(rows, schema=schema)
    assert_same(table.to_pylist(), table, is_text=False)


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("sure", [1.0, 0.0, None, 2.0]),
        ("count", [3.0, 3.5, None, float("nan")]),
        ("at", ["2022-03-18T19:45:00", "soon", None, ""]),
        ("weight", ["1.5", "", None, "2"]),
        ("day", [datetime(2022, 3, 18), datetime(2022, 3, 18, 1), None, None]),
        ("colour", [b"red", None, b"", b"x"]),
        ("place", [1, 2, None, 4]),
    ],
)
def test_a_column_of_an_unexpected_type_is_read_as_its_rows_are(column: str, values: list[Any]) -> None:
    table = pa.table({"ratio": [0.5] * 4, column: values})
    full = dict.fromkeys(Everything.model_fields)
    assert_same([full | row for row in table.to_pylist()], table, is_text=False)


def test_a_usual_row_is_read_without_a_doubt() -> None:
    usual = {"ratio": "0.25", "count": "3", "sure": "true", "at": "2022-03-18T19:45:00", "colour": "red"}
    table = pa.Table.from_pylist([usual] * 3)
    for field in FIELDS:
        if field.name in usual:
            assert not field.convert(table[field.name].combine_chunks(), is_text=True).doubtful.any()


def test_a_field_that_no_column_can_be_held_to_is_read_row_by_row() -> None:
    found = TableReader(Mixed, is_text=True).read(pa.table({"size": ["3", "-0.5", "-1", None, "x"]}))
    np.testing.assert_array_equal(found.columns["size"], [3, -0.5, -1, np.nan])
    assert [item.row for item in found.rejected] == [4]


def test_a_row_that_is_refused_says_what_the_api_would_say() -> None:
    table = pa.table({"ratio": ["2", "0.5", None], "colour": ["blue", "red", "red"]})
    found = TableReader(Everything, is_text=True).read(table, first_row=1000)
    assert [(item.row, [error.pointer for error in item.errors]) for item in found.rejected] == [
        (1000, ["/ratio", "/colour"]),
        (1002, ["/ratio"]),
    ]
    assert found.rejected[1].errors[0].detail == "Field required"
    assert json.loads(row_body({"ratio": "2"}, FIELDS[:1], is_text=True)) == {"ratio": 2}
