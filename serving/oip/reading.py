"""From input tensors to rows: column by column, each value checked by the schema's own types, and in slices of rows."""

from __future__ import annotations

from collections.abc import Awaitable, Generator, Iterator, Mapping, Sequence
from typing import Any, Protocol

import msgspec
from pydantic import ValidationError

from modelkit.errors import FieldError, InvalidRequest
from modelkit.rows import RowReader
from modelkit.schema import MAX_REPORTED_ERRORS, field_errors
from serving.loaded_model import LoadedModel
from serving.oip.inputs import columns_of, values_in
from serving.oip.layout import Layout, layout_of
from serving.oip.one_row import PointingOne, plain_row
from serving.oip.places import Column, Pointing
from serving.oip.tensors import Tensor, refused
from serving.requested_rows import RequestRows
from serving.turns import SLICE_ROWS, Turns, at_once, slices_of

# Half a millisecond at most: elements that become rows, and rows that pydantic has to read.
SLICE_ELEMENTS = 4096
EXPLAINED_ROWS = 16

Rows = list[msgspec.Struct]
Values = Mapping[str, list[Any]]


class RowLimits(Protocol):
    """How many rows one request may have."""

    @property
    def max_instances(self) -> int: ...


def rows_of(
    model: LoadedModel, tensors: list[Tensor] | Iterator[Tensor], limits: RowLimits, turns: Turns
) -> RequestRows | Awaitable[RequestRows]:
    """To be awaited where there are many rows, or where the tensors are an iterator: each of them is made in a turn.

    Raises InvalidRequest with a pointer for everything that is wrong, and with the row where it is one row's.
    """
    reader, layout = model.reader, layout_of(model.definition.request)
    if not isinstance(tensors, list):
        return turns.through(_made_and_read(reader, layout, tensors, limits))
    row = plain_row(reader, layout, tensors)
    if row is not None:
        return RequestRows([row], [0], 1, True, [], False, PointingOne(tensors))
    size = _row_count(tensors, limits)
    reading = _read(reader, layout, tensors, size)
    return at_once(reading) if size <= SLICE_ROWS else turns.through(reading)


def _row_count(tensors: Sequence[Tensor], limits: RowLimits) -> int:
    if not tensors:
        raise refused("/inputs", "There is no tensor")
    shape = tensors[0].shape
    size = shape[0] if shape else 0
    if not 0 < size <= limits.max_instances:
        raise refused("/inputs/0/shape", f"A request has 1 to {limits.max_instances} rows")
    return size


def _made_and_read(
    reader: RowReader, layout: Layout, tensors: Iterator[Tensor], limits: RowLimits
) -> Generator[None, None, RequestRows]:
    made = []
    for tensor in tensors:
        made.append(tensor)
        yield
    return (yield from _read(reader, layout, made, _row_count(made, limits)))


def _read(
    reader: RowReader, layout: Layout, tensors: Sequence[Tensor], size: int
) -> Generator[None, None, RequestRows]:
    """Yields between slices."""
    columns = columns_of(tensors, layout, size)
    rows: Rows = []
    errors: list[FieldError] = []
    for part in slices_of(size, max(SLICE_ROWS, SLICE_ELEMENTS // len(columns))):
        if part.start:
            yield
        try:
            values = values_in(columns, part)
            rows += _checked(reader, layout, values) or (yield from _explained(reader, values, columns, part))
        except InvalidRequest as error:
            errors.extend(error.errors)
        if len(errors) >= MAX_REPORTED_ERRORS:
            break
    if errors:
        raise InvalidRequest("The tensors are not valid", errors=errors[:MAX_REPORTED_ERRORS])
    return RequestRows(rows, list(range(size)), size, True, [], False, Pointing(columns))


def _checked(reader: RowReader, layout: Layout, values: Values) -> Rows | None:
    """None where msgspec refuses a row. Of many, its own loops check a column at a time, and rows are made by place."""
    count = len(next(iter(values.values())))
    try:
        if count == 1:
            return [msgspec.convert({name: each[0] for name, each in values.items()}, reader.struct)]
        checked = [
            field.checked(values[field.name]) if field.name in values else [field.default] * count
            for field in layout.fields
        ]
    except msgspec.ValidationError:
        return None
    return list(map(layout.row, *checked))


def _explained(
    reader: RowReader, values: Values, columns: Sequence[Column], part: slice
) -> Generator[None, None, Rows]:
    """Each row of a slice again, by pydantic where msgspec refuses it: for a complete list of what is wrong."""
    rows: Rows = []
    errors: list[FieldError] = []
    pointing = Pointing(columns)
    for place, each in enumerate(zip(*values.values(), strict=True)):
        if place % EXPLAINED_ROWS == 0:
            yield
        text = msgspec.json.encode(dict(zip(values, each, strict=True)))
        try:
            rows.append(_row(reader, text))
        except ValidationError as error:
            errors.extend(_placed(item, part.start + place, pointing) for item in field_errors(error))
        if len(errors) >= MAX_REPORTED_ERRORS:
            break
    if errors:
        raise InvalidRequest("The tensors are not valid", errors=errors)
    return rows


def _row(reader: RowReader, text: bytes) -> msgspec.Struct:
    try:
        return reader.decode_one(text)
    except msgspec.ValidationError:
        return reader.decode_one(reader.request.model_validate_json(text).model_dump_json())


def _placed(item: FieldError, place: int, pointing: Pointing) -> FieldError:
    field = item.pointer.split("/")[1]
    return FieldError(pointer=pointing(place, field), detail=item.detail, row=place)
