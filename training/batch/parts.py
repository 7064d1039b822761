"""How answered rows are written: each chunk as a part, and parts joined into one table of the format that was asked for."""

from __future__ import annotations

import csv as plain_csv
import gzip
import io
from collections.abc import Callable, Iterable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, ipc
from pyarrow import parquet as pq

from training.batch.places import Format

COMPRESSION_LEVEL = 6
NEEDS_QUOTES = '[",\r\n]'


def encode_part(table: Any, target: Format) -> bytes:
    """CSV as it will stand in the output; rows for Parquet in Arrow's own format, because its files cannot be chained."""
    if target is Format.PARQUET:
        sink = pa.BufferOutputStream()
        with ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        content: bytes = sink.getvalue().to_pybytes()
        return content
    rows = _csv_rows(table)
    return gzip.compress(rows, COMPRESSION_LEVEL, mtime=0) if target is Format.CSV_GZ else rows


def join_parts(sink: Any, parts: Iterable[Callable[[], bytes]], schema: Any, target: Format) -> None:
    """Equal parts give equal bytes. One part at a time is in memory."""
    if target is Format.PARQUET:
        with pq.ParquetWriter(sink, schema) as writer:
            for part in parts:
                table = ipc.open_stream(part()).read_all()
                if table.num_rows:
                    writer.write_table(table, row_group_size=table.num_rows)
        return
    header = _csv_header(schema.names)
    sink.write(gzip.compress(header, COMPRESSION_LEVEL, mtime=0) if target is Format.CSV_GZ else header)
    for part in parts:
        sink.write(part())


def _csv_rows(table: Any) -> bytes:
    """A cell stands in quotes where it needs them and nowhere else, whatever the rows beside it need."""
    sink = pa.BufferOutputStream()
    try:
        csv.write_csv(table, sink, csv.WriteOptions(include_header=False, quoting_style="none"))
    except pa.ArrowInvalid:  # a cell needs quotes, and Arrow would put all text into them
        return _quoted_rows(table)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _quoted_rows(table: Any) -> bytes:
    lines = pc.binary_join_element_wise(*(_cells(column) for column in table.columns), ",")
    return "".join(f"{line}\n" for line in lines.to_pylist()).encode()


def _cells(column: Any) -> Any:
    text = column.cast(pa.string())
    if pa.types.is_string(column.type):
        doubled = pc.replace_substring(text, '"', '""')
        quoted = pc.binary_join_element_wise('"', doubled, '"', "")
        text = pc.if_else(pc.match_substring_regex(text, NEEDS_QUOTES), quoted, text)
    return pc.fill_null(text, "")


def _csv_header(names: list[str]) -> bytes:
    text = io.StringIO()
    plain_csv.writer(text, lineterminator="\n").writerow(names)
    return text.getvalue().encode()
