"""Request bodies made by hypothesis from a model's schema: valid ones, and ones with every kind of trouble."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Literal, get_args, get_origin

from hypothesis import strategies as st
from pydantic.fields import FieldInfo

from modelkit.annotations import alternatives, scalar_type
from modelkit.schema import RequestModel

# What JSON text may say in a value's place, as text, because json.dumps would tidy most of it up.
ODD_TEXTS = (
    *("null", "true", "false", "0", "-0", "-0.0", "1", "1.0", "1e0", "10e-1", "1E+2", "1e999", "-1e999"),
    *("1e-400", "5e-324", "9" * 30, "9" * 400, "0." + "3" * 400, "NaN", "Infinity", "-Infinity", "+1"),
    *("01", "1.", ".5", "0x10", "1_000", '""', '"1"', '"1.5"', '"true"', '"null"', '"NaN"', '"urban"'),
    *('"\\u0075rban"', '"urban\\u0000"', '"\\ud800"', '"\\ud83d\\ude00"', '" urban"', '"URBAN"', "[]"),
    *("[1]", "{}", '{"a": 1}', "[[[]]]", '"2022-03-18"', '"2022-03-18T19:45"', '"2022-03-18 19:45:00"'),
    *('"2022-03-18T19:45:00Z"', '"2022-03-18T19:45:00+00:00"', '"2022-03-18T19:45:00-00:00"'),
    *('"2022-03-18T19:45:00.1"', '"2022-03-18T19:45:00.1234567"', '"2022-03-18T19:45:00.9999999"'),
    *('"2022-03-18T24:00:00"', '"2022-02-30T00:00:00"', '"2022-03-18T23:59:60"', '"0000-01-01T00:00:00"'),
    *('"2022-03-18t19:45:00"', '"2022-03-18_19:45:00"', '"20220318T194500"', '"1647632700"', "1647632700"),
    *('"2022-03-18T19:45:00,5"', '"10000-01-01T00:00:00"', '"-2022-03-18T19:45:00"', "1647632700.5"),
    '"2022-3-18T9:45:00"',
)
ODD_VALUES = st.sampled_from(ODD_TEXTS)
ODD_KEYS = st.sampled_from(["", "a/b", "a~b", "instances", "on_error", "__proto__", "é", "0"]) | st.text(
    max_size=5
)


def valid_value(info: FieldInfo) -> st.SearchStrategy[str]:
    """JSON text of a value that a field takes, mostly."""
    return st.one_of([_of(option, info) for option in alternatives(info.annotation)])


def _of(option: Any, info: FieldInfo) -> st.SearchStrategy[str]:
    if option is type(None):
        return st.just("null")
    if get_origin(option) is Literal:
        return st.sampled_from([json.dumps(value) for value in get_args(option)])
    kind = scalar_type(option)
    if kind is bool:
        return st.sampled_from(["true", "false"])
    if kind is int:
        return st.integers(int(_bound(info, "ge")), int(_bound(info, "le"))).map(str)
    if kind is float:
        return _numbers(info).map(json.dumps)
    if kind is str:
        return _texts(info).map(json.dumps)
    assert kind is datetime, kind
    return st.datetimes().map(lambda moment: json.dumps(moment.isoformat()))


def _texts(info: FieldInfo) -> st.SearchStrategy[str]:
    pattern = next((item.pattern for item in info.metadata if getattr(item, "pattern", None)), None)
    if pattern is not None:
        return st.from_regex(pattern, fullmatch=True)
    bounds = {
        name: getattr(item, name)
        for item in info.metadata
        for name in ("min_length", "max_length")
        if hasattr(item, name)
    }
    return st.text(min_size=bounds.get("min_length", 0), max_size=bounds.get("max_length", 100))


def _numbers(info: FieldInfo) -> st.SearchStrategy[float]:
    low, high = _bound(info, "ge"), _bound(info, "le")
    open_low, open_high = low == _bound(info, "gt"), high == _bound(info, "lt")
    floats = st.floats(low, high, exclude_min=open_low, exclude_max=open_high)
    whole = st.integers(int(low) + open_low, int(high) - open_high)
    return (
        floats
        | whole
        | st.sampled_from(
            [edge for edge, left_out in ((low, open_low), (high, open_high)) if not left_out] or [low + 1]
        )
    )


def _bound(info: FieldInfo, name: str) -> float:
    """A bound of a field; `ge` and `le` also stand for the open ones."""
    open_name = {"ge": "gt", "le": "lt"}.get(name, name)
    for item in info.metadata:
        found = getattr(item, name, getattr(item, open_name, None))
        if found is not None:
            return float(found)
    return {"ge": -1e6, "le": 1e6}.get(name, float("nan"))


@st.composite
def bodies(draw: st.DrawFn, model: type[RequestModel], *, odd: bool) -> bytes:
    """A JSON object of the model; with `odd`, some of its values, keys and bytes are not what they should be."""
    members = []
    for name, info in model.model_fields.items():
        if info.is_required() or draw(st.booleans()):
            members.append((name, draw(valid_value(info))))
    if odd and members:
        for _ in range(draw(st.integers(0, 2))):
            place = draw(st.integers(0, len(members) - 1))
            members[place] = members[place][0], draw(ODD_VALUES)
        if draw(st.integers(0, 4)) == 0:
            members.append((draw(ODD_KEYS), draw(ODD_VALUES)))
        if draw(st.integers(0, 4)) == 0:
            members.append(draw(st.sampled_from(members)))
    members = draw(st.permutations(members))
    text = ", ".join(f"{json.dumps(name)}: {value}" for name, value in members)
    return f"{{{text}}}".encode()


@st.composite
def damaged(draw: st.DrawFn, model: type[RequestModel]) -> bytes:
    """A valid body with a few bytes cut, changed or put in."""
    body = bytearray(draw(bodies(model, odd=False)))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(body)))
        cut = draw(st.integers(0, 2))
        put = draw(
            st.binary(max_size=2)
            | st.sampled_from([b'"', b"{", b"}", b"[", b"]", b",", b":", b"\\", b"\xff"])
        )
        body[place : place + cut] = put
    return bytes(body)
