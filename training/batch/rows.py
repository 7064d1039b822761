"""From a table to request columns: whole columns first, and row by row wherever that leaves a doubt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from modelkit.columns import Columns
from modelkit.errors import FieldError, InvalidRequest
from modelkit.rows import RowReader
from modelkit.schema import RequestModel, field_errors
from training.batch.cells import to_json
from training.batch.fields import Field, fields_of


class Rejected(msgspec.Struct, frozen=True, kw_only=True):
    """A row that gets no answer: its number in the input, and what the API would have said to it."""

    row: int
    code: str
    errors: list[FieldError]


@dataclass(frozen=True, kw_only=True)
class ReadRows:
    """Columns of the rows that are `kept` (positions in the table), and what was wrong with the others."""

    columns: Columns
    kept: NDArray[np.intp]
    rejected: list[Rejected]


class TableReader:
    """Reads tables whose columns may hold more than the request: what is more is of no concern here."""

    def __init__(self, request: type[RequestModel], *, is_text: bool) -> None:
        self._reader = RowReader(request)
        self._fields = fields_of(request)
        self._is_text = is_text

    def required(self) -> list[str]:
        return [field.name for field in self._fields if field.required]

    def read(self, table: Any, first_row: int = 0) -> ReadRows:
        """`first_row` is the number of the table's first row in the input."""
        columns, doubtful = self._whole_columns(table)
        places = np.flatnonzero(doubtful)
        if not len(places):
            return ReadRows(columns=columns, kept=np.arange(table.num_rows), rejected=[])
        rows, certain, rejected = self._exactly(table, places, first_row)
        if certain:
            for name, values in self._reader.columns(rows).items():
                if not columns[name].flags.writeable:
                    columns[name] = columns[name].copy()
                columns[name][certain] = values
        refused = [item.row - first_row for item in rejected]
        kept = np.delete(np.arange(table.num_rows), refused)
        return ReadRows(
            columns={name: values[kept] for name, values in columns.items()}, kept=kept, rejected=rejected
        )

    def _whole_columns(self, table: Any) -> tuple[dict[str, NDArray[Any]], NDArray[np.bool_]]:
        doubtful = np.zeros(table.num_rows, dtype=bool)
        columns = {}
        for field in self._fields:
            if field.name in table.column_names:
                found = field.convert(_one_array(table[field.name]), is_text=self._is_text)
            else:
                found = field.all_absent(table.num_rows)
            columns[field.name] = found.values
            doubtful |= found.doubtful
        return columns, doubtful

    def _exactly(
        self, table: Any, places: NDArray[np.intp], first_row: int
    ) -> tuple[list[msgspec.Struct], list[int], list[Rejected]]:
        """Rows as the API reads them: those that are valid with their places, and those that are not."""
        present = [field for field in self._fields if field.name in table.column_names]
        cells = table.select([field.name for field in present]).take(places).to_pylist()
        rows, certain, rejected = [], [], []
        for place, row in zip(places.tolist(), cells, strict=True):
            try:
                rows.append(self._read_row(row_body(row, present, is_text=self._is_text)))
                certain.append(place)
            except ValidationError as error:
                number = first_row + place
                found = field_errors(error, row=number)
                rejected.append(Rejected(row=number, code=InvalidRequest.code, errors=found))
        return rows, certain, rejected

    def _read_row(self, body: bytes) -> msgspec.Struct:
        """As serving does it: msgspec reads, and pydantic has the last word on what it refuses."""
        try:
            return self._reader.decode_one(body)
        except msgspec.MsgspecError:
            checked = self._reader.request.model_validate_json(body)
        return self._reader.decode_one(checked.model_dump_json())


def row_body(row: dict[str, Any], fields: Sequence[Field], *, is_text: bool) -> bytes:
    """The JSON body of one row: what is absent is left out."""
    cells = {
        field.name: field.cell(row[field.name], is_text=is_text)
        for field in fields
        if row[field.name] is not None
    }
    return to_json({name: value for name, value in cells.items() if value is not None})


def _one_array(column: Any) -> Any:
    combined = column.combine_chunks()
    return combined.dictionary_decode() if hasattr(combined, "dictionary_decode") else combined
