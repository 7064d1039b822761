"""Stored rows of a view: numbers in, fields out, and nothing that the view's schema does not allow."""

from __future__ import annotations

import dataclasses
from math import inf, nan

import pytest
from pydantic import Field

from modelkit.definition import FeatureView
from modelkit.schema import RequestModel
from modelkit.view_rows import ViewRows
from tests.view_catalog.shopper.definition import DEFINITION as SHOPPER
from tests.view_catalog.shopper.definition import Habits

assert SHOPPER.view is not None
ROWS = ViewRows(SHOPPER.view)


class Flags(RequestModel):
    """Every kind of number a field can be."""

    regular: bool
    count: int | None = None
    share: float = Field(default=0.5, ge=0, le=1)


FLAGS = ViewRows(FeatureView(name="flags", key="user_id", row=Flags))


def test_numbers_become_the_types_of_the_fields() -> None:
    assert ROWS.values([12.5, 3.0, nan]) == {"spent": 12.5, "visits": 3, "days_between": None}
    assert isinstance(ROWS.values([12.5, 3.0, nan])["visits"], int)
    assert FLAGS.values([1.0, 4.0, 0.25]) == {"regular": True, "count": 4, "share": 0.25}


def test_what_is_missing_is_the_default_of_its_field() -> None:
    assert FLAGS.values([0.0, nan, nan]) == {"regular": False, "count": None, "share": 0.5}


@pytest.mark.parametrize(
    ("numbers", "place"),
    [
        ([-1.0, 1.0, 2.0], "spent"),
        ([nan, 1.0, 2.0], "spent"),
        ([inf, 1.0, 2.0], "spent"),
        ([1.0, 1.5, 2.0], "visits"),
        ([1.0, nan, 2.0], "visits"),
        ([1.0, 1.0, inf], "days_between"),
    ],
)
def test_a_row_that_the_schema_does_not_allow_is_refused_by_field(numbers: list[float], place: str) -> None:
    with pytest.raises(ValueError, match=place):
        ROWS.check(numbers)


@pytest.mark.parametrize("numbers", [[0.5, 1.0, 1.0], [nan, 1.0, 1.0], [1.0, 1.0, 1.5]])
def test_flags_and_shares_are_checked_too(numbers: list[float]) -> None:
    with pytest.raises(ValueError, match=r"regular|share"):
        FLAGS.check(numbers)


def test_a_packed_row_comes_back_and_other_bytes_do_not() -> None:
    assert ROWS.values(ROWS.unpack(ROWS.pack([1.0, 2.0, nan]))) == ROWS.values([1.0, 2.0, nan])
    for packed in (b"", b"x", ROWS.pack([1.0, 2.0, 3.0])[:-1], ROWS.pack([-1.0, 2.0, 3.0])):
        with pytest.raises(ValueError, match=r"length|spent"):
            ROWS.unpack(packed)


def test_a_set_fits_only_the_schema_that_it_was_written_for() -> None:
    meta = ROWS.meta(rows=1, written_at=0.0)
    assert ROWS.refusal(meta) == ""
    assert "columns" in FLAGS.refusal(meta)

    class Narrower(Habits):
        """The same columns, another bound."""

        spent: float = Field(ge=0, le=10)

    narrower = ViewRows(FeatureView(name="habits", key="user_id", row=Narrower))
    assert "another schema" in narrower.refusal(meta)


class Text(RequestModel):
    """Not a number."""

    name: str


class Shared(RequestModel):
    """A field that requests have too."""

    user_id: float


@pytest.mark.parametrize(
    ("view", "message"),
    [
        (FeatureView(name="v", key="nobody", row=Habits), "no field nobody"),
        (FeatureView(name="v", key="user_id", row=Text), "must be a number"),
        (FeatureView(name="v", key="user_id", row=Shared), "user_id"),
    ],
)
def test_a_view_that_cannot_work_is_refused_when_it_is_declared(view: FeatureView, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(SHOPPER, view=view)


def test_an_answer_repeats_only_fields_of_the_request() -> None:
    with pytest.raises(ValueError, match="nothing"):
        dataclasses.replace(SHOPPER, echo=("nothing",))
