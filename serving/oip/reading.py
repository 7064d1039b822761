"""From input tensors to rows: a column per field, read whole, each value checked by the schema's own types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec
from pydantic import ValidationError

from modelkit.errors import FieldError, InvalidRequest
from modelkit.rows import RowReader
from modelkit.schema import MAX_REPORTED_ERRORS, field_errors
from serving.loaded_model import LoadedModel
from serving.oip.inputs import columns_of
from serving.oip.layout import Layout, layout_of
from serving.oip.one_row import PointingOne, plain_row
from serving.oip.places import Column, Pointing
from serving.oip.tensors import Tensor, refused
from serving.requested_rows import RequestRows


class RowLimits(Protocol):
    """How many rows one request may have."""

    @property
    def max_instances(self) -> int: ...


def rows_of(model: LoadedModel, tensors: Sequence[Tensor], limits: RowLimits) -> RequestRows:
    """Raises InvalidRequest with a pointer for everything that is wrong, and with the row where it is one row's."""
    layout = layout_of(model.definition.request)
    row = plain_row(model.reader, layout, tensors)
    if row is not None:
        return RequestRows([row], [0], 1, True, [], False, PointingOne(tensors))
    size = _row_count(tensors, limits)
    columns = columns_of(tensors, layout, size)
    rows = _one_row(model.reader, columns) if size == 1 else _many_rows(model.reader, layout, columns, size)
    return RequestRows(rows, list(range(size)), size, True, [], False, Pointing(columns))


def _row_count(tensors: Sequence[Tensor], limits: RowLimits) -> int:
    if not tensors:
        raise refused("/inputs", "There is no tensor")
    shape = tensors[0].shape
    size = shape[0] if shape else 0
    if not 0 < size <= limits.max_instances:
        raise refused("/inputs/0/shape", f"A request has 1 to {limits.max_instances} rows")
    return size


def _one_row(reader: RowReader, columns: Sequence[Column]) -> list[msgspec.Struct]:
    values = {column.field.name: column.values[0] for column in columns}
    try:
        return [msgspec.convert(values, reader.struct)]
    except msgspec.ValidationError:
        return _explained(reader, columns, 1)


def _many_rows(
    reader: RowReader, layout: Layout, columns: Sequence[Column], size: int
) -> list[msgspec.Struct]:
    """Column by column in msgspec's own loops: a row is made of values that were checked together."""
    found = {column.field.name: column for column in columns}
    try:
        checked = [
            field.checked(found[field.name].values) if field.name in found else [field.default] * size
            for field in layout.fields
        ]
    except msgspec.ValidationError:
        return _explained(reader, columns, size)
    return list(map(layout.row, *checked))


def _explained(reader: RowReader, columns: Sequence[Column], size: int) -> list[msgspec.Struct]:
    """Every row again, by pydantic where msgspec refuses it: for a complete list of what is wrong."""
    rows: list[msgspec.Struct] = []
    errors: list[FieldError] = []
    pointing = Pointing(columns)
    for place in range(size):
        text = msgspec.json.encode({column.field.name: column.values[place] for column in columns})
        try:
            rows.append(reader.decode_one(text))
            continue
        except msgspec.ValidationError:
            pass
        try:
            rows.append(reader.decode_one(reader.request.model_validate_json(text).model_dump_json()))
        except ValidationError as error:
            errors.extend(_placed(item, place, pointing) for item in field_errors(error))
        if len(errors) >= MAX_REPORTED_ERRORS:
            break
    if errors:
        raise InvalidRequest("The tensors are not valid", errors=errors[:MAX_REPORTED_ERRORS])
    return rows


def _placed(item: FieldError, place: int, pointing: Pointing) -> FieldError:
    field = item.pointer.split("/")[1]
    return FieldError(pointer=pointing(place, field), detail=item.detail, row=place)
