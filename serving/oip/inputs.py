"""From input tensors to columns of values, one per field: by the tensors' names, or out of one array of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from modelkit.errors import FieldError, InvalidRequest
from modelkit.schema import MAX_REPORTED_ERRORS
from serving.oip.columns import BadElements, can_hold, values_of
from serving.oip.layout import InputField, Layout
from serving.oip.places import Column, element_refusal
from serving.oip.tensors import DATATYPES, FP64, Tensor, refused


def columns_of(tensors: Sequence[Tensor], layout: Layout, size: int) -> list[Column]:
    """Raises InvalidRequest with everything that is wrong with the tensors."""
    if len(tensors) == 1 and _is_matrix(tensors[0], layout):
        return _columns_of_matrix(tensors[0], layout)
    return _columns_by_name(tensors, layout, size)


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
    name, data = tensor.name, tensor.data
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
    flat, nested = _flat(data, size, 1, f"/inputs/{place}")
    try:
        values = values_of(flat, tensor.datatype, field.datatype)
    except BadElements as error:
        column = Column(field, [], place, 1, 0, nested)
        raise element_refusal(error.found, column) from None
    if not field.nullable and None in values:
        values = _without_nulls(field, values, Column(field, [], place, 1, 0, nested))
    return Column(field, values, place, 1, 0, nested)


def _datatype_detail(datatype: str, wanted: str) -> str:
    if datatype not in DATATYPES:
        return "There is no such datatype"
    return f"The datatype should be {wanted}"


def _without_nulls(field: InputField, values: list[Any], column: Column) -> list[Any]:
    """A null is an absent value: the default stands in where there is one."""
    if field.required:
        gone = {row: "Field required" for row, value in enumerate(values) if value is None}
        raise element_refusal(gone, column)
    return [field.default if value is None else value for value in values]


def _flat(data: Any, size: int, width: int, where: str) -> tuple[Any, bool]:
    """The elements in one list, and whether there was a list per row. Raises InvalidRequest for another length."""
    if isinstance(data, np.ndarray):
        return data.reshape(-1), False
    if not isinstance(data, list | tuple):
        raise refused(f"{where}/data", "Input should be an array")
    if data and isinstance(data[0], list):
        if not all(isinstance(row, list) and len(row) == width for row in data) or len(data) != size:
            raise refused(f"{where}/data", f"There should be {size} arrays of {width}")
        return [value for row in data for value in row], True
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
    flat, nested = _flat(tensor.data, size, width, "/inputs/0")
    columns: list[Column] = []
    errors: list[FieldError] = []
    for offset, field in enumerate(fields):
        column = Column(field, [], 0, width, offset, nested)
        try:
            values = values_of(flat[offset::width], tensor.datatype, field.datatype)
            if not field.nullable and None in values:
                values = _without_nulls(field, values, column)
            columns.append(column._replace(values=values))
        except BadElements as error:
            errors.extend(element_refusal(error.found, column).errors)
        except InvalidRequest as error:
            errors.extend(error.errors)
    if errors:
        raise InvalidRequest("The tensors are not valid", errors=errors[:MAX_REPORTED_ERRORS])
    return columns
