"""Between pandas frames and the request columns that serving builds: both sides must see the same dtypes."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pandas as pd

from modelkit.annotations import alternatives, scalar_type
from modelkit.columns import Columns, column_dtype
from modelkit.rows import RowReader
from modelkit.schema import RequestModel
from training.errors import PreparedDataInvalid

RESERVED = ("label", "time", "known_at", "entity", "split")
SPLITS = ("train", "valid", "test")


def to_columns(rows: pd.DataFrame, request: type[RequestModel]) -> Columns:
    """The request columns of prepared rows, with the dtypes that `modelkit.rows` gives a request."""
    columns = {}
    for name, info in request.model_fields.items():
        dtype = column_dtype(info.annotation)
        series = rows[name]
        if dtype.kind == "O":
            series = series.astype(object).where(series.notna(), None)
        columns[name] = series.to_numpy(dtype=dtype)
    return columns


def to_requests(rows: pd.DataFrame, request: type[RequestModel]) -> list[dict[str, Any]]:
    """Prepared rows as the JSON bodies that a caller would have sent. What is missing is left out."""
    kinds = {name: _kind(info.annotation) for name, info in request.model_fields.items()}
    records = rows[list(kinds)].astype(object).to_dict("records")
    return [
        {str(name): _plain(value, kinds[str(name)]) for name, value in record.items() if not pd.isna(value)}
        for record in records
    ]


def check_prepared(rows: pd.DataFrame, request: type[RequestModel]) -> None:
    """Lock 1 of 5 against skew: prepared columns are the request's fields, and every row is a valid request."""
    expected = [*request.model_fields, *RESERVED]
    if list(rows.columns) != expected:
        difference = sorted(set(rows.columns) ^ set(expected)) or "their order"
        raise PreparedDataInvalid(f"prepared columns differ from the request schema: {difference}")
    if unknown := set(rows["split"]) ^ set(SPLITS):
        raise PreparedDataInvalid(f"splits must be exactly {', '.join(SPLITS)}; differing: {sorted(unknown)}")
    reader = RowReader(request)
    for number, row in enumerate(to_requests(rows, request)):
        try:
            reader.from_object(row)
        except msgspec.ValidationError as error:
            raise PreparedDataInvalid(f"prepared row {number} is not a valid request: {error}") from error


def _kind(annotation: Any) -> type:
    kinds = {scalar_type(option) for option in alternatives(annotation)} - {type(None)}
    return next(kind for kind in (float, bool, int, object) if kind in kinds or kind is object)


def _plain(value: Any, kind: type) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return value if kind is object else kind(value)
