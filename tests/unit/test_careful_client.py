"""What a careful client does with a value that the schema refuses: the field goes, the row stays."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import Field

from modelkit.schema import RequestModel
from training.evaluation.required_only import without_optional
from training.scoring.careful_client import send


class Request(RequestModel):
    weight: float = Field(gt=0, le=30)
    pieces: int = Field(ge=1)
    colour: str | None = Field(None, max_length=5)
    rating: float | None = Field(None, ge=1, le=5)


DEFINITION: Any = SimpleNamespace(row=Request)


def sent_as(request: dict[str, Any]) -> dict[str, Any] | None:
    [row] = send(DEFINITION, [request]).rows
    return None if row is None else {name: getattr(row, name) for name in row.__struct_fields__}


def test_a_valid_request_is_sent_as_it_is() -> None:
    request = {"weight": 2.5, "pieces": 3, "colour": "red", "rating": 4.0}
    assert sent_as(request) == request


def test_every_wrong_optional_field_is_left_out_and_counted() -> None:
    request = {"weight": 2.5, "pieces": 3, "colour": "turquoise", "rating": 6.0}
    assert sent_as(request) == {"weight": 2.5, "pieces": 3, "colour": None, "rating": None}
    assert send(DEFINITION, [request, request]).dropped == {"colour": 2, "rating": 2}


def test_a_field_that_the_schema_does_not_have_is_left_out() -> None:
    assert sent_as({"weight": 2.5, "pieces": 3, "tip": 1}) is not None


@pytest.mark.parametrize(("weight", "expected"), [(99.0, 30.0), (0.0, 5e-324), (-1.0, 5e-324)])
def test_a_required_number_out_of_bounds_becomes_the_bound(weight: float, expected: float) -> None:
    found = sent_as({"weight": weight, "pieces": 0})
    assert found is not None
    assert (found["weight"], found["pieces"]) == (expected, 1)


def test_a_row_without_a_required_field_is_refused_by_name_and_keeps_its_place() -> None:
    sent = send(DEFINITION, [{"pieces": 3}, {"weight": 1.0, "pieces": 3}])
    assert sent.rows[0] is None
    assert sent.rows[1] is not None
    assert "weight" in next(iter(sent.refused))


def test_required_fields_only() -> None:
    assert without_optional(DEFINITION, [{"weight": 1.0, "pieces": 2, "rating": 3.0}]) == [
        {"weight": 1.0, "pieces": 2}
    ]
