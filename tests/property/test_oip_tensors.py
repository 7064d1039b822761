"""Any rows of any model are the same rows after they were tensors, in JSON's values or in bytes."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from typing import Any, Literal, get_args, get_origin

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic.fields import FieldInfo

from modelkit.annotations import alternatives, scalar_type
from modelkit.definition import load_catalog
from modelkit.fingerprint import canonical
from modelkit.rows import RowReader
from serving.http.request_rows import Limits
from serving.loaded_model import LoadedModel
from serving.oip.reading import rows_of
from serving.requested_rows import RequestRows
from serving.turns import Turns
from tests.oip_tensors import tensors_of, through_bytes
from tests.tiny_servables import loaded_tiny

CATALOG = load_catalog()
LIMITS = Limits(max_json_depth=16, max_instances=100)


def _bounds(info: FieldInfo) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in info.metadata:
        found |= {name: getattr(item, name) for name in ("ge", "gt", "le", "lt") if hasattr(item, name)}
    return found


def _moment(seconds: int) -> str:
    return (datetime(1990, 1, 1) + timedelta(seconds=seconds)).isoformat()


def _values(info: FieldInfo) -> st.SearchStrategy[Any]:
    """What JSON would carry for a field."""
    options = [option for option in alternatives(info.annotation) if option is not type(None)]
    option, bounds = options[0], _bounds(info)
    kind = scalar_type(option)
    if get_origin(option) is Literal:
        values: st.SearchStrategy[Any] = st.sampled_from(get_args(option))
    elif kind is float:
        low, high = bounds.get("ge", bounds.get("gt")), bounds.get("le", bounds.get("lt"))
        values = st.floats(
            low,
            high,
            exclude_min="gt" in bounds,
            exclude_max="lt" in bounds,
            allow_nan=False,
            allow_infinity=False,
        )
    elif kind is int:
        values = st.integers(bounds.get("ge", 0), bounds.get("le", 2**31))
    elif kind is bool:
        values = st.booleans()
    elif kind is datetime:
        values = st.integers(0, 2**31).map(_moment)
    else:
        values = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
    return values if info.is_required() else st.none() | values


@cache
def _rows(name: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    fields = CATALOG[name].request.model_fields
    row = st.fixed_dictionaries({field: _values(info) for field, info in fields.items()})
    return st.lists(row, min_size=1, max_size=3)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, LoadedModel]:
    folder = tmp_path_factory.mktemp("models")
    return {name: loaded_tiny(definition, folder / name) for name, definition in CATALOG.items()}


def _texts(rows: list[msgspec.Struct]) -> list[bytes]:
    return [canonical(row) for row in rows]


@pytest.mark.parametrize("name", sorted(CATALOG))
def test_rows_survive_being_tensors_in_json_and_in_bytes(models: dict[str, LoadedModel], name: str) -> None:
    @settings(max_examples=60, deadline=None)
    @given(rows=_rows(name))
    def survive(rows: list[dict[str, Any]]) -> None:
        definition, model = CATALOG[name], models[name]
        native = _texts([RowReader(definition.request).from_object(row) for row in rows])
        tensors = tensors_of(definition, rows)
        assume(tensors)
        for sent in (tensors, through_bytes(tensors)):
            request = rows_of(model, sent, LIMITS, Turns())
            assert isinstance(request, RequestRows)
            assert _texts(request.rows) == native

    survive()
