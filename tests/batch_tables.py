"""Tables of requests for batch tests: real rows of the synthetic kind, some of them spoilt."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.food_delivery.definition import DEFINITION


def deliveries(rows: int) -> list[dict[str, Any]]:
    """Requests that differ, each with an order number that the model does not know."""
    examples = [dict(example) for example in DEFINITION.examples]
    names = list(DEFINITION.request.model_fields)
    made = []
    for number in range(rows):
        row: dict[str, Any] = dict.fromkeys(names) | examples[number % len(examples)]
        row["delivery_latitude"] = round(row["delivery_latitude"] + number / 10_000, 6)
        made.append({"order": f"order {number}", **row})
    return made


def write_deliveries(path: Path, rows: int, *, bad: Collection[int] = ()) -> list[dict[str, Any]]:
    """CSV as text, Parquet typed; `bad` rows have a vehicle in a condition that there is not."""
    found = deliveries(rows)
    for number in bad:
        found[number]["vehicle_condition"] = 7
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(found), path)
        return found
    text = io.StringIO()
    writer = csv.DictWriter(text, list(found[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(found)
    content = text.getvalue().encode()
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
    return found
