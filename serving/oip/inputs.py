"""From input tensors to columns, one per field: by the tensors' names, or out of one array of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from modelkit.errors import FieldError, InvalidRequest
from modelkit.schema import MAX_REPORTED_ERRORS
from serving.oip.columns import BadElements, can_hold, values_of
from serving.oip.layout import Layout
from serving.oip.places import Column, element_errors
from serving.oip.tensors import DATATYPES, FP64, Tensor, refused
from serving.oip.wishes import refuse_contents_elsewhere


def columns_of(tensors: Sequence[Tensor], layout: Layout, size: int) -> list[Column]:
    """Tensors of the right names, shapes and datatypes; their elements nobody has looked at.

    Raises InvalidRequest with everything that is wrong with the tensors.
    """
    if len(tensors) == 1 and _is_matrix(tensors[0], layout):
        return _columns_of_matrix(tensors[0], layout)
    return _columns_by_name(tensors, layout, size)


def values_in(columns: Sequence[Column], part: slice) -> dict[str, list[Any]]:
    """By field, the values of consecutive rows. Raises InvalidRequest with everything that is wrong with them."""
    values: dict[str, list[Any]] = {}
    errors: list[FieldError] = []
    for column in columns:
        try:
            values[column.field.name] = _values(column, part)
        except BadElements as error:
            found = {part.start + place: detail for place, detail in error.found.items()}
            errors.extend(element_errors(found, column))
    if errors:
        raise InvalidRequest("The tensors are not valid", errors=errors[:MAX_REPORTED_ERRORS])
    return values


def _values(column: Column, part: slice) -> list[Any]:
    """A null is an absent value: the default stands in where there is one. Raises BadElements."""
    field = column.field
    values = values_of(column.elements(part), column.datatype, field.datatype)
    if field.nullable or None not in values:
        return values
    if field.required:
        raise BadElements({place: "Field required" for place, value in enumerate(values) if value is None})
    return [field.default if value is None else value for value in values]


def _is_matrix(tensor: Tensor, layout: Layout) -> bool:
    return tensor.name not in layout.places and len(tensor.shape) > 1 and layout.is_numeric


def _columns_by_name(tensors: Sequence[Tensor], layout: Layout, size: int) -> list[Column]:
    columns: list[Column] = []
    errors: list[FieldError] = []
    seen: set[str] = set()
    for place, tensor in enumerate(tensors):
        try:
            columns.append(_column(place, tensor, layout, size, seen))
        except InvalidRequest as error:
            errors.extend(error.errors)
    for field in layout.fields:
        if field.required and field.name not in seen:
            errors.append(FieldError(pointer="/inputs", detail=f"The tensor {field.name} is missing"))
    if errors:
        raise InvalidRequest("The tensors are not valid", errors=errors[:MAX_REPORTED_ERRORS])
    return columns


def _column(place: int, tensor: Tensor, layout: Layout, size: int, seen: set[str]) -> Column:
    name = tensor.name
    known = layout.places.get(name)
    if known is None or name in seen:
        problem = "There is no such tensor" if known is None else "The tensor is there twice"
        raise refused(f"/inputs/{place}/name", problem)
    seen.add(name)
    field = layout.fields[known]
    if tensor.shape not in ((size,), (size, 1)):
        raise refused(f"/inputs/{place}/shape", f"The shape should be [{size}] or [{size}, 1]")
    if tensor.datatype != field.datatype and not can_hold(tensor.datatype, field.datatype):
        raise refused(f"/inputs/{place}/datatype", _datatype_detail(tensor.datatype, field.datatype))
    refuse_contents_elsewhere(place, tensor)
    data, nested = _checked_data(tensor.data, size, 1, f"/inputs/{place}")
    return Column(field, tensor.datatype, data, place, 1, 0, nested)


def _datatype_detail(datatype: str, wanted: str) -> str:
    if datatype not in DATATYPES:
        return "There is no such datatype"
    return f"The datatype should be {wanted}"


def _checked_data(data: Any, size: int, width: int, where: str) -> tuple[Any, bool]:
    """The elements, and whether there is a list per row. Raises InvalidRequest for another length."""
    if isinstance(data, np.ndarray):
        return data.reshape(-1), False
    if not isinstance(data, list | tuple):
        raise refused(f"{where}/data", "Input should be an array")
    if data and isinstance(data[0], list):
        if len(data) != size or {list} != set(map(type, data)) or {width} != set(map(len, data)):
            raise refused(f"{where}/data", f"There should be {size} arrays of {width}")
        return data, True
    if len(data) != size * width:
        raise refused(f"{where}/data", f"There should be {size * width} elements")
    return data, False


def _columns_of_matrix(tensor: Tensor, layout: Layout) -> list[Column]:
    """One array of numbers, a column per field in the schema's order."""
    fields, size = layout.fields, tensor.shape[0]
    width = len(fields)
    if tensor.shape != (size, width):
        raise refused("/inputs/0/shape", f"The shape should be [{size}, {width}]: a column per field")
    if not can_hold(tensor.datatype, FP64):
        raise refused("/inputs/0/datatype", _datatype_detail(tensor.datatype, FP64))
    refuse_contents_elsewhere(0, tensor)
    data, nested = _checked_data(tensor.data, size, width, "/inputs/0")
    return [
        Column(field, tensor.datatype, data, 0, width, offset, nested) for offset, field in enumerate(fields)
    ]
