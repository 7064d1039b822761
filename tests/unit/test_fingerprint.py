"""Fingerprints: equal exactly when model, version, contract and canonical input are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelkit.definition import load_catalog
from modelkit.fingerprint import DIGEST_BYTES, Fingerprint, canonical
from modelkit.rows import RowReader
from tests.bodies import bodies

CATALOG = load_catalog()
READERS = {name: RowReader(definition.request) for name, definition in CATALOG.items()}
FLOWER = CATALOG["iris"].examples[0]
FOOD = CATALOG["food-delivery"].examples[0]
KEY = Fingerprint(model="iris", version="1", contract_digest="c")
by_model = pytest.mark.parametrize("name", READERS)


def fingerprint(name: str, body: bytes) -> bytes:
    return KEY.of(canonical(READERS[name].decode_one(body)))


def text(row: Mapping[str, Any], **values: str) -> bytes:
    """A row as JSON, some of its values spelled out."""
    members = [f"{json.dumps(key)}:{values.get(key, json.dumps(value))}" for key, value in row.items()]
    return ("{" + ",".join(members) + "}").encode()


@by_model
@settings(deadline=None, derandomize=True, max_examples=150)
@given(data=st.data())
def test_equal_rows_and_only_they_have_equal_fingerprints(name: str, data: st.DataObject) -> None:
    bodies_ = [data.draw(bodies(READERS[name].request, odd=False)) for _ in range(2)]
    one, other = (READERS[name].decode_one(body) for body in bodies_)
    assert (fingerprint(name, bodies_[0]) == fingerprint(name, bodies_[1])) == (one == other)


@by_model
@settings(deadline=None, derandomize=True, max_examples=100)
@given(data=st.data())
def test_order_and_spelling_of_a_row_do_not_matter(name: str, data: st.DataObject) -> None:
    body = data.draw(bodies(READERS[name].request, odd=False))
    members = list(json.loads(body).items())
    other = json.dumps(dict(data.draw(st.permutations(members))), indent=data.draw(st.integers(0, 4)))
    assert fingerprint(name, other.encode()) == fingerprint(name, body)


@pytest.mark.parametrize("spelling", ["5", "5.0", "5e0", "50e-1", "0.5e1", "5.000", "5.0000000000000001"])
def test_one_number_has_one_fingerprint_however_it_is_written(spelling: str) -> None:
    assert fingerprint("iris", text(FLOWER, sepal_length=spelling)) == fingerprint(
        "iris", text(FLOWER, sepal_length="5")
    )


@pytest.mark.parametrize("spelling", ["-0.0", "-0", "0", "0e5", "-0.0e-3"])
def test_zero_has_no_sign(spelling: str) -> None:
    assert fingerprint("food-delivery", text(FOOD, restaurant_latitude=spelling)) == fingerprint(
        "food-delivery", text(FOOD, restaurant_latitude="0.0")
    )


def test_a_small_negative_number_is_not_zero() -> None:
    small, zero = (text(FOOD, restaurant_latitude=value) for value in ("-0.04", "0.0"))
    assert fingerprint("food-delivery", small) != fingerprint("food-delivery", zero)
    assert json.loads(canonical(READERS["food-delivery"].decode_one(small)))["restaurant_latitude"] == -0.04


def test_null_and_absent_are_the_same() -> None:
    without = {name: value for name, value in FOOD.items() if name != "picked_up_at"}
    assert fingerprint("food-delivery", text(without)) == fingerprint(
        "food-delivery", text(FOOD, picked_up_at="null")
    )


def test_escapes_are_only_another_spelling() -> None:
    escaped = text(FOOD, weather='"\\u0063loud\\u0079"').replace(b'"weather"', b'"we\\u0061ther"')
    assert fingerprint("food-delivery", escaped) == fingerprint("food-delivery", text(FOOD))


def test_times_of_one_moment_are_the_same() -> None:
    short, long = (
        text(FOOD, ordered_at=value) for value in ('"2022-03-18T19:45:00"', '"2022-03-18T19:45:00.000"')
    )
    assert fingerprint("food-delivery", short) == fingerprint("food-delivery", long)


def test_model_version_and_contract_keep_their_fingerprints_apart() -> None:
    row = b'{"a":1}'
    keys = {
        Fingerprint(model=model, version=version, contract_digest=contract).of(row)
        for model in ("iris", "iris2")
        for version in ("1", "2", "11")
        for contract in ("c", "d")
    }
    assert len(keys) == 12
    # No shifting of letters from one part to the next.
    assert Fingerprint(model="a", version="bc", contract_digest="d").of(row) != Fingerprint(
        model="ab", version="c", contract_digest="d"
    ).of(row)


def test_a_fingerprint_has_a_fixed_size_and_is_the_same_in_every_process() -> None:
    assert len(KEY.of(b"x")) == DIGEST_BYTES
    assert KEY.of(b"x") == Fingerprint(model="iris", version="1", contract_digest="c").of(b"x")
