"""Request schemas: what pydantic declares is what msgspec enforces, for every kind of bound."""

from __future__ import annotations

import json
from datetime import date
from typing import Annotated, Any, Literal

import annotated_types
import msgspec
import pytest
from pydantic import AfterValidator, Field, NaiveDatetime, ValidationError, field_validator

from modelkit.rows import RowReader
from modelkit.schema import RequestModel, compile_struct, field_errors, read_json, schema_digest


class Everything(RequestModel):
    """One field of each kind that a request may have."""

    share: float = Field(ge=0, le=1)
    mass: float = Field(gt=0, lt=10)
    count: Annotated[int, Field(ge=0)] | None = None
    code: str = Field(default="AB1", min_length=2, max_length=4, pattern=r"^[A-Z0-9]+$")
    kind: Literal["a", "b"] | None = None
    flag: bool = False
    ratio: Annotated[float, annotated_types.Interval(gt=0, le=5)] = 1.0
    day: date | None = None
    at: NaiveDatetime | None = None


GOOD: dict[str, Any] = {"share": 0.5, "mass": 1.0}
READER = RowReader(Everything)

VALUES: dict[str, list[Any]] = {
    "share": [0, 1, 0.0, 1.0, -0.0, 1e-9, -1e-9, 1.0000001, "0.5", True, None, []],
    "mass": [0, 1e-300, 9.999, 10, -1],
    "count": [0, -1, 1.0, 1.5, None, 2**40, 2**70, True, "1"],
    "code": ["A", "AB", "ABCD", "ABCDE", "ab", "AB\n", "A B", "", "ÀB", "\ud7ff\ud7ff", 12, None],
    "kind": ["a", "b", "c", "A", "", None, 1],
    "ratio": [0, 1e-9, 5, 5.1, -1],
    "flag": [True, False, 0, 1, "true", None],
    "day": ["2022-03-18", "2022-02-30", "2022-3-18", "2022-03-18T00:00:00", 5, None, ""],
    "at": [
        "2022-03-18T10:00:00",
        "2022-03-18T10:00:00Z",
        "2022-03-18T10:00:00+02:00",
        "2022-03-18",
        None,
        1.5,
    ],
}
CASES = [(name, value) for name, values in VALUES.items() for value in values]


@pytest.mark.parametrize(("name", "value"), CASES, ids=repr)
def test_the_struct_never_takes_what_the_model_refuses(name: str, value: Any) -> None:
    body = json.dumps({**GOOD, name: value}).encode()
    try:
        row = READER.decode_one(body)
    except msgspec.ValidationError:
        return
    assert getattr(Everything.model_validate_json(body), name) == getattr(row, name)


@pytest.mark.parametrize(("name", "value"), CASES, ids=repr)
def test_what_the_model_takes_the_struct_takes_in_the_models_own_words(name: str, value: Any) -> None:
    try:
        checked = Everything.model_validate_json(json.dumps({**GOOD, name: value}))
    except ValidationError:
        return
    assert getattr(READER.decode_one(checked.model_dump_json()), name) == getattr(checked, name)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"share": 0.5},
        {**GOOD, "extra": 1},
        {**GOOD, "share": float("nan")},
        {**GOOD, "mass": float("inf")},
    ],
)
def test_missing_extra_and_infinite_values_are_refused_by_both(body: dict[str, Any]) -> None:
    text = json.dumps(body).encode()
    with pytest.raises((msgspec.ValidationError, msgspec.DecodeError)):
        READER.decode_one(text)
    with pytest.raises(ValidationError):
        Everything.model_validate_json(text)


def test_the_struct_keeps_order_and_defaults() -> None:
    assert READER.names == tuple(Everything.model_fields)
    row: Any = READER.decode_one(json.dumps(GOOD))
    assert (row.code, row.count, row.flag) == ("AB1", None, False)
    with pytest.raises(AttributeError):
        row.share = 1.0


def test_columns_have_the_dtypes_of_their_fields() -> None:
    rows = READER.decode_many(json.dumps([{**GOOD, "at": "2022-03-18T10:00:00"}, {**GOOD, "count": 3}]))
    columns = READER.columns(rows)
    assert [
        columns[name].dtype.kind for name in ("share", "count", "flag", "code", "kind", "at", "day")
    ] == list("fffOOMM")
    assert columns["count"].tolist()[1] == 3.0
    assert columns["count"].tolist()[0] != columns["count"].tolist()[0]  # NaN
    assert str(columns["at"][1]) == "NaT"
    assert columns["kind"].tolist() == [None, None]


def test_a_digest_is_of_the_contract_and_not_of_its_prose() -> None:
    def one(**field: Any) -> type[RequestModel]:
        annotation = {"__annotations__": {"title": float}, "title": Field(**field)}
        return type("One", (RequestModel,), {"__module__": __name__, **annotation})

    plain = schema_digest(one(ge=0))
    assert schema_digest(one(ge=0, description="words", examples=[1.0])) == plain
    assert schema_digest(one(ge=0, json_schema_extra={"unit": "cm"})) == plain
    assert schema_digest(one(ge=1)) != plain
    assert schema_digest(one(ge=0, default=1.0)) != plain


@pytest.mark.parametrize("annotation", [list[float], dict[str, float], bytes, complex, RequestModel])
def test_a_request_field_is_a_scalar(annotation: Any) -> None:
    bad = type("Bad", (RequestModel,), {"__module__": __name__, "__annotations__": {"x": annotation}})
    with pytest.raises(TypeError):
        compile_struct(bad)


@pytest.mark.parametrize(
    "annotation",
    [
        Annotated[float, Field(multiple_of=0.5)],
        Annotated[float, AfterValidator(abs)],
        Annotated[float, Field(allow_inf_nan=True)],
        Annotated[str, Field(strict=False)],
        Annotated[str, annotated_types.Predicate(str.isupper)],
    ],
)
def test_what_only_pydantic_could_check_is_refused_when_the_model_is_declared(annotation: Any) -> None:
    for kind in (annotation, annotation | None):
        members = {"__module__": __name__, "__annotations__": {"x": kind}}
        with pytest.raises(TypeError, match="msgspec"):
            compile_struct(type("Bad", (RequestModel,), members))


def test_a_request_model_has_no_validators() -> None:
    class Bad(RequestModel):
        x: float

        @field_validator("x")
        @classmethod
        def even(cls, value: float) -> float:
            return value

    with pytest.raises(TypeError, match="not validators"):
        compile_struct(Bad)


def test_no_finding_repeats_the_value_that_was_sent() -> None:
    with pytest.raises(ValidationError) as caught:
        Everything.model_validate({"share": "hunter2", "code": "hunter2hunter2", "kind": "hunter2"})
    found = field_errors(caught.value, prefix="/instances/3", row=3)
    assert {item.pointer for item in found} >= {
        "/instances/3/share",
        "/instances/3/mass",
        "/instances/3/code",
    }
    assert {item.row for item in found} == {3}
    assert "hunter2" not in repr(found)


class Graded(RequestModel):
    grade: int | None = Field(None, ge=0, le=3)


@pytest.mark.parametrize("text", ["2.0", "2e0", "-0.0", "2.00"])
def test_a_whole_number_is_an_integer_however_it_is_written(text: str) -> None:
    row = read_json(Graded, f'{{"grade": {text}}}'.encode())
    assert row.model_dump() == {"grade": int(float(text))}


@pytest.mark.parametrize("text", ["2.5", "7.0", "1e300", "true", '"2"', "[2.0]"])
def test_other_numbers_are_no_integers(text: str) -> None:
    with pytest.raises(ValidationError):
        read_json(Graded, f'{{"grade": {text}}}'.encode())
