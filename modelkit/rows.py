"""From request bytes to rows and from rows to columns, for one model's schema."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from modelkit.columns import Columns, column_dtype, rows_to_columns
from modelkit.schema import RequestModel, compile_struct


class RowReader:
    """Decoders of one schema. Both decoders raise msgspec.ValidationError or msgspec.DecodeError for a bad body."""

    def __init__(self, request: type[RequestModel]) -> None:
        self.request = request
        self.struct = compile_struct(request)
        self.names = self.struct.__struct_fields__
        self._dtypes = [column_dtype(request.model_fields[name].annotation) for name in self.names]
        self.decode_one = msgspec.json.Decoder(self.struct).decode
        self.decode_many = msgspec.json.Decoder(list[self.struct]).decode  # type: ignore[name-defined]

    def from_object(self, row: dict[str, Any]) -> msgspec.Struct:
        """A row from JSON-compatible Python values, checked as a request would be."""
        return self.decode_one(msgspec.json.encode(row))

    def columns(self, rows: Sequence[msgspec.Struct]) -> Columns:
        """Request columns of shape (len(rows),)."""
        return rows_to_columns(map(msgspec.structs.astuple, rows), self.names, self._dtypes)
