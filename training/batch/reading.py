"""The input as chunks of a fixed number of rows, read as a stream: CSV cells as the text they are, Parquet as typed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from pyarrow import csv
from pyarrow import parquet as pq

from training.batch.places import Format, Place, said_in_one_line
from training.errors import BatchRefused


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """Rows `first_row`, `first_row + 1`, … of the input, counted from 0."""

    number: int
    first_row: int
    table: Any


class Source:
    """An input that can be opened: what it is, and its rows."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.is_text = place.format is not Format.PARQUET
        with said_in_one_line(f"{place.url} cannot be read"):
            self.schema = _csv_schema(place) if self.is_text else _parquet_schema(place)
            facts = place.facts()
        if len(set(self.schema.names)) < len(self.schema.names):
            raise BatchRefused(f"{place.url} has two columns of the same name")
        self.identity = f"{facts.size} bytes, changed at {facts.mtime_ns}"

    def chunks(self, rows: int) -> Iterator[Chunk]:
        """Of exactly `rows` rows, but for the last; the same ones every time."""
        number = 0
        for table in _regrouped(self._batches(rows), rows):
            yield Chunk(number=number, first_row=number * rows, table=table)
            number += 1

    def _batches(self, rows: int) -> Iterator[Any]:
        with said_in_one_line(f"{self.place.url} cannot be read"):
            if self.is_text:
                with _open_csv(self.place, csv_conversion(self.schema)) as reader:
                    yield from reader
            else:
                with (
                    self.place.files.open_input_file(self.place.path) as file,
                    pq.ParquetFile(file) as parquet,
                ):
                    yield from parquet.iter_batches(batch_size=min(rows, 2**16))


def csv_layout() -> csv.ParseOptions:
    """A quoted cell may hold line breaks."""
    return csv.ParseOptions(newlines_in_values=True)


def csv_conversion(schema: Any) -> csv.ConvertOptions:
    """Every cell as text; an empty one is absent."""
    return csv.ConvertOptions(
        column_types={name: pa.string() for name in schema.names},
        null_values=[""],
        strings_can_be_null=True,
    )


def _open_csv(place: Place, conversion: csv.ConvertOptions) -> Any:
    stream = place.files.open_input_stream(
        place.path, compression="gzip" if place.format is Format.CSV_GZ else None
    )
    return csv.open_csv(stream, parse_options=csv_layout(), convert_options=conversion)


def _csv_schema(place: Place) -> Any:
    with _open_csv(place, csv.ConvertOptions()) as reader:
        return pa.schema([(name, pa.string()) for name in reader.schema.names])


def _parquet_schema(place: Place) -> Any:
    with place.files.open_input_file(place.path) as file, pq.ParquetFile(file) as parquet:
        return parquet.schema_arrow.remove_metadata()


def _regrouped(batches: Iterator[Any], rows: int) -> Iterator[Any]:
    waiting: list[Any] = []
    held = 0
    for batch in batches:
        while held + len(batch) >= rows:
            taken = rows - held
            yield _table([*waiting, batch.slice(0, taken)])
            batch, waiting, held = batch.slice(taken), [], 0
        if len(batch):
            waiting.append(batch)
            held += len(batch)
    if waiting:
        yield _table(waiting)


def _table(batches: list[Any]) -> Any:
    return pa.Table.from_batches(batches).combine_chunks().replace_schema_metadata(None)
