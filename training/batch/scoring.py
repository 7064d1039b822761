"""The function of a batch: a table of input rows to a table of answered rows and the rejected ones. Every engine maps it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from modelkit.errors import FieldError, PredictionFailed
from training.batch.answers import Answerer
from training.batch.rows import ReadRows, Rejected
from training.errors import BatchRefused


@dataclass(frozen=True, kw_only=True)
class Scored:
    """`answered` has the input's columns and the model's, for the rows that got an answer, in the input's order."""

    answered: Any
    rejected: list[Rejected]


class Reader(Protocol):
    """Reads the rows of a table as the model's feature code wants them."""

    def required(self) -> list[str]:
        """Columns without which no row can be read."""

    def read(self, table: Any, first_row: int = 0) -> ReadRows: ...


class Scorer:
    """Stateless but for the loaded model; safe to call from several threads."""

    def __init__(self, reader: Reader, answerer: Answerer) -> None:
        self._reader, self._answerer = reader, answerer

    def output_schema(self, columns: Any) -> Any:
        """Of the answered rows of an input with these columns. Raises BatchRefused where they cannot be answered."""
        if missing := [name for name in self._reader.required() if name not in columns.names]:
            raise BatchRefused(f"the input has no column {', '.join(missing)}, which every row needs")
        if taken := [name for name in self._answerer.schema.names if name in columns.names]:
            raise BatchRefused(
                f"the input has a column {', '.join(taken)} already, where answers are to be written"
            )
        return pa.schema([*columns, *self._answerer.schema])

    def __call__(self, table: Any, first_row: int = 0) -> Scored:
        read = self._reader.read(table, first_row)
        outputs = self._answerer.outputs(read.columns) if len(read.kept) else None
        if outputs is None:
            return Scored(answered=_beside(table.slice(0, 0), self._empty()), rejected=read.rejected)
        finite = np.isfinite(outputs).all(axis=1)
        kept, rejected = read.kept, read.rejected
        if not finite.all():
            failed = [_failed(first_row + place) for place in kept[~finite].tolist()]
            rejected = sorted([*rejected, *failed], key=lambda item: item.row)
            kept, outputs = kept[finite], outputs[finite]
        rows = table if len(kept) == table.num_rows else table.take(kept)
        return Scored(answered=_beside(rows, self._answerer.table(outputs)), rejected=rejected)

    def _empty(self) -> Any:
        return self._answerer.schema.empty_table()


def _failed(row: int) -> Rejected:
    error = FieldError(pointer="", detail=PredictionFailed.title, row=row)
    return Rejected(row=row, code=PredictionFailed.code, errors=[error])


def _beside(rows: Any, answers: Any) -> Any:
    columns: Sequence[Any] = [*rows.columns, *answers.columns]
    return pa.table(columns, schema=pa.schema([*rows.schema, *answers.schema]))
