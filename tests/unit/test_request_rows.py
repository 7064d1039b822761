"""Reading requests: msgspec is only ever the fast way to what pydantic says."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from modelkit.definition import load_catalog
from modelkit.errors import InvalidRequest
from modelkit.rows import RowReader
from modelkit.schema import read_json
from serving.http.request_rows import BAD_BODY, Limits, _shortened, accepts, read_rows, refuse_deep
from tests.bodies import ODD_TEXTS, bodies, damaged

CATALOG = load_catalog()
READERS = {name: RowReader(definition.request) for name, definition in CATALOG.items()}
LIMITS = Limits(max_json_depth=32, max_instances=4)
FLOWER = CATALOG["iris"].examples[0]
IRIS = READERS["iris"]
by_model = pytest.mark.parametrize("name", READERS)
quick = settings(
    max_examples=75, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def same(mine: Any, theirs: Any) -> bool:
    """Equal in type and value; of a fraction finer than a microsecond, one reader rounds what the other cuts off."""
    if isinstance(mine, datetime) and isinstance(theirs, datetime):
        return timedelta(0) <= mine - theirs <= timedelta(microseconds=1)
    return type(mine) is type(theirs) and bool(mine == theirs)


def assert_same(mine: Any, theirs: Any, names: tuple[str, ...]) -> None:
    assert [name for name in names if not same(getattr(mine, name), getattr(theirs, name))] == []


def batch(*rows: Any, **members: Any) -> bytes:
    return json.dumps({"instances": rows, **members}).encode()


def refusal(body: bytes, *, limits: Limits = LIMITS) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        read_rows(IRIS, body, limits)
    return caught.value


def compare(reader: RowReader, body: bytes) -> None:
    """What the fast path takes, pydantic takes, as the same row; what only pydantic takes, the slow path takes."""
    try:
        checked = read_json(reader.request, body)
    except ValidationError:
        checked = None
    try:
        fast = reader.decode_one(body)
    except BAD_BODY:
        fast = None
    if fast is not None:
        assert checked is not None
        assert_same(fast, checked, reader.names)
    if b'"instances"' in body:
        return
    if checked is None:
        with pytest.raises(InvalidRequest):
            read_rows(reader, body, LIMITS)
    else:
        (row,) = read_rows(reader, body, LIMITS).rows
        assert_same(row, checked, reader.names)


@by_model
@quick
@given(data=st.data())
def test_both_readers_agree_about_valid_bodies(name: str, data: st.DataObject) -> None:
    compare(READERS[name], data.draw(bodies(READERS[name].request, odd=False)))


@by_model
def test_both_readers_agree_about_every_odd_value_in_every_place(name: str) -> None:
    reader, example = READERS[name], CATALOG[name].examples[0]
    for field in reader.names:
        others = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in example.items() if key != field]
        for odd in ODD_TEXTS:
            compare(reader, ("{" + ", ".join([*others, f'"{field}": {odd}']) + "}").encode())


@by_model
@settings(parent=quick, max_examples=200)
@given(data=st.data())
def test_both_readers_agree_about_odd_bodies(name: str, data: st.DataObject) -> None:
    compare(READERS[name], data.draw(bodies(READERS[name].request, odd=True)))


@by_model
@settings(parent=quick, max_examples=200)
@given(data=st.data())
def test_both_readers_agree_about_damaged_bodies(name: str, data: st.DataObject) -> None:
    compare(READERS[name], data.draw(damaged(READERS[name].request)))


@by_model
@quick
@given(data=st.data())
def test_a_batch_reads_its_rows_as_single_requests_would(name: str, data: st.DataObject) -> None:
    reader = READERS[name]
    rows = data.draw(st.lists(bodies(reader.request, odd=True), min_size=1, max_size=4))
    body = b'{"on_error": "skip", "instances": [' + b", ".join(rows) + b"]}"
    try:
        found = read_rows(reader, body, LIMITS)
    except InvalidRequest:
        assert not any(accepts(reader, row, LIMITS) for row in rows) or not _is_json(body)
        return
    alone = [read_rows(reader, row, LIMITS).rows[0] for row in rows if accepts(reader, row, LIMITS)]
    assert found.rows == alone
    assert found.places == [place for place, row in enumerate(rows) if accepts(reader, row, LIMITS)]
    assert {error.row for error in found.errors} == set(range(len(rows))) - set(found.places)


def _is_json(body: bytes) -> bool:
    try:
        msgspec.json.decode(body)
    except BAD_BODY:
        return False
    return True


@by_model
def test_every_example_of_the_declaration_is_a_valid_request(name: str) -> None:
    for example in CATALOG[name].examples:
        assert read_rows(READERS[name], json.dumps(example).encode(), LIMITS).size == 1


def test_every_fault_of_a_row_is_reported_at_its_place() -> None:
    error = refusal(
        json.dumps({**FLOWER, "sepal_length": "long", "petal_width": 99, "colour": "blue"}).encode()
    )
    assert {item.pointer for item in error.errors} == {"/sepal_length", "/petal_width", "/colour"}
    assert all(item.row is None for item in error.errors)


def test_a_missing_field_is_reported_where_it_should_be() -> None:
    (error,) = refusal(json.dumps({name: FLOWER[name] for name in list(FLOWER)[1:]}).encode()).errors
    assert (error.pointer, error.detail) == ("/sepal_length", "Field required")


def test_pointers_escape_tildes_and_slashes() -> None:
    errors = refusal(json.dumps({**FLOWER, "a/b~c": 1}).encode()).errors
    assert [error.pointer for error in errors] == ["/a~1b~0c"]


def test_a_long_key_does_not_come_back_whole() -> None:
    (error,) = refusal(json.dumps({**FLOWER, "k" * 10_000: 1}).encode()).errors
    assert len(error.pointer) < 200


def test_a_thousand_faults_are_not_all_reported() -> None:
    assert len(refusal(json.dumps({f"x{number}": 1 for number in range(1000)}).encode()).errors) <= 50


def test_faults_of_a_batch_name_row_and_place() -> None:
    error = refusal(batch(FLOWER, {**FLOWER, "petal_width": -1}, 7))
    assert [(item.pointer, item.row) for item in error.errors] == [
        ("/instances/1/petal_width", 1),
        ("/instances/2", 2),
    ]


def test_one_bad_row_fails_a_batch_unless_it_asks_to_skip() -> None:
    rows = [FLOWER, {"sepal_length": 1}, FLOWER]
    refusal(batch(*rows))
    refusal(batch(*rows, on_error="fail"))
    found = read_rows(IRIS, batch(*rows, on_error="skip"), LIMITS)
    assert (found.places, found.size, len(found.rows), found.is_batch) == ([0, 2], 3, 2, True)
    assert {error.row for error in found.errors} == {1}


def test_a_batch_of_nothing_but_bad_rows_is_refused_even_when_it_asks_to_skip() -> None:
    refusal(batch({}, {}, on_error="skip"))


@pytest.mark.parametrize("count", [0, 5])
def test_a_batch_has_a_number_of_rows_within_its_limits(count: int) -> None:
    (error,) = refusal(batch(*[FLOWER] * count)).errors
    assert error.pointer == "/instances"
    assert len(read_rows(IRIS, batch(*[FLOWER] * 4), LIMITS).rows) == 4


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b'{"instances": 7}', "/instances"),
        (b'{"instances": null}', "/instances"),
        (b'{"instances": {}}', "/instances"),
        (b'{"instances": [{}], "on_error": "hunter2"}', "/on_error"),
        (b'{"instances": [{}], "on_error": "\xff"}', ""),
        (b'{"instances": [{}], "hunter2": 1}', ""),
        (b'{"instances": [{}]', ""),
        (b'["instances"]', ""),
        (b'"instances"', ""),
    ],
)
def test_a_wrong_envelope_is_explained_without_repeating_it(body: bytes, pointer: str) -> None:
    error = refusal(body)
    assert [item.pointer for item in error.errors] == [pointer]
    assert "hunter2" not in repr(error.errors) + error.detail


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"sepal_length":' + b"[" * 100_000,
        b'{"instances":' + b"[" * 100_000,
        b'{"instances": [' + b"[" * 100_000 + b"]" * 100_000 + b"]}",
        b'{"on_error":' + b'{"instances":' * 100_000,
    ],
)
def test_a_body_that_nests_a_hundred_thousand_deep_is_refused(body: bytes) -> None:
    assert "nests deeper than 32" in refusal(body).detail
    assert not accepts(IRIS, body, LIMITS)


def test_brackets_inside_of_text_do_not_count_as_depth() -> None:
    refuse_deep(json.dumps({"text": '[{"' * 1000 + "\\"}).encode(), 4)
    refuse_deep(b"[[[[]]]]" * 100, 4)
    with pytest.raises(InvalidRequest):
        refuse_deep(b'["\\"", [[[[', 4)


MEGABYTE = 1_000_000
HUGE = {
    "arrays": (b"[" + b"[]," * 340_000 + b"[]]", [("", "Input should be an object")]),
    "no JSON": (b'{"sepal_length"' + b" " * MEGABYTE, [("", "Invalid JSON")]),
    "a value of arrays": (
        json.dumps(FLOWER)[:-1].encode() + b', "sepal_width": [' + b"[]," * 340_000 + b"[]]}",
        [("/sepal_width", "Input should be a valid number")],
    ),
    "names": (b"{" + b",".join(b'"k%d":1' % i for i in range(90_000)) + b"}", None),
}


@pytest.mark.parametrize("kind", HUGE)
def test_explaining_a_huge_body_takes_few_steps(kind: str) -> None:
    body, told = HUGE[kind]
    steps = 0

    def count(*_: Any) -> None:
        nonlocal steps
        steps += 1

    sys.setprofile(count)
    try:
        error = refusal(body)
    finally:
        sys.setprofile(None)
    assert steps < 2_000
    assert 0 < len(error.errors) <= 50
    assert told in (None, [(each.pointer, each.detail) for each in error.errors])


def test_pydantic_gets_no_more_of_a_row_than_the_schema_bounds() -> None:
    wide = {**FLOWER, **{f"k{place}": 1 for place in range(1_000)}, "petal_width": [[1] * 1_000]}
    assert len(_shortened(IRIS, json.dumps(wide).encode())) < 2_000
    spaced = json.dumps({**FLOWER, "sepal_length": 3.0}).encode() + b" " * MEGABYTE
    assert accepts(IRIS, spaced, LIMITS)


def test_no_fault_repeats_the_value_that_was_sent() -> None:
    secret = "s3cr3t-value"
    for row in (
        {**FLOWER, "sepal_length": secret},
        {**FLOWER, "petal_width": {"x": secret}},
        secret,
        [secret],
    ):
        for body in (json.dumps(row).encode(), batch(row)):
            error = refusal(body)
            assert secret not in repr(error.errors) + error.detail
