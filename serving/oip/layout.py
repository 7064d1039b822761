"""Which tensors stand for a model's request: one per field of its schema, in the schema's order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, cached_property
from typing import Any

import msgspec

from modelkit.annotations import alternatives, scalar_type
from modelkit.schema import RequestModel, compile_struct
from serving.oip.tensors import BOOL, BYTES, FP64, INT64

_DATATYPES: dict[type, str] = {float: FP64, int: INT64, bool: BOOL, str: BYTES, date: BYTES, datetime: BYTES}


@dataclass(frozen=True, slots=True)
class InputField:
    """One field as a tensor. `nullable`: null is a value of its own; `required`: it cannot be left out.

    `checked` turns a column of JSON's values into the field's, within its bounds, or raises msgspec.ValidationError.
    """

    name: str
    datatype: str
    required: bool
    nullable: bool
    default: Any
    checked: Callable[[list[Any]], list[Any]]


@dataclass(frozen=True)
class Layout:
    """The fields of a request in order. `row` makes a row from values in that order, all of them checked before."""

    fields: tuple[InputField, ...]
    row: Callable[..., msgspec.Struct]

    @cached_property
    def places(self) -> dict[str, int]:
        return {field.name: place for place, field in enumerate(self.fields)}

    @cached_property
    def datatypes(self) -> dict[str, str]:
        return {field.name: field.datatype for field in self.fields}

    @cached_property
    def is_numeric(self) -> bool:
        """Whether one array of numbers, a column per field, can hold a request."""
        return all(field.datatype in (FP64, INT64) for field in self.fields)


@cache
def layout_of(request: type[RequestModel]) -> Layout:
    struct = compile_struct(request)
    kinds = {item.name: item.type for item in msgspec.structs.fields(struct)}
    fields = tuple(_field(request, name, kinds[name]) for name in struct.__struct_fields__)
    # The same fields in the same order, without defaults: rows of many columns are made by position.
    row = msgspec.defstruct(struct.__name__, list(struct.__struct_fields__), frozen=True, gc=False)
    return Layout(fields, row)


def _field(request: type[RequestModel], name: str, kind: Any) -> InputField:
    info = request.model_fields[name]
    kinds = {scalar_type(option) for option in alternatives(info.annotation)}
    plain = kinds - {type(None)}
    widest = next(each for each in (float, int, bool, str, datetime, date) if each in plain)
    column = list[kind]

    def checked(values: list[Any]) -> list[Any]:
        return msgspec.convert(values, column)

    return InputField(
        name=name,
        datatype=_DATATYPES[widest],
        required=info.is_required(),
        nullable=type(None) in kinds,
        default=None if info.is_required() else info.default,
        checked=checked,
    )
