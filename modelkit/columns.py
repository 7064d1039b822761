"""Rows to columns, the same way for one request row and for a training table.

A column is a one-dimensional array: numbers as float64 with NaN for missing, times as datetime64[s] with NaT,
text as objects with None. Both sides of training/serving skew go through these dtypes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelkit.annotations import alternatives, scalar_type

Columns = Mapping[str, NDArray[Any]]


def column_dtype(annotation: Any) -> np.dtype[Any]:
    """The dtype of the column that holds values of a schema field's annotation."""
    kinds = {scalar_type(option) for option in alternatives(annotation)} - {type(None)}
    if kinds <= {float, int, bool}:
        return np.dtype(np.float64)
    if kinds <= {datetime, date}:
        return np.dtype("datetime64[s]")
    if kinds <= {str}:
        return np.dtype(object)
    raise TypeError(f"no column holds {annotation!r}: use float, str, Literal, date or datetime")


def rows_to_columns(
    rows: Iterable[Sequence[Any]], names: Sequence[str], dtypes: Sequence[np.dtype[Any]]
) -> dict[str, NDArray[Any]]:
    """Columns from row tuples whose values stand in the order of `names`."""
    values = zip(*rows, strict=True)
    return {
        name: np.array(column, dtype=dtype) for name, column, dtype in zip(names, values, dtypes, strict=True)
    }


def feature_matrix(features: Columns, order: Sequence[str]) -> NDArray[np.float32]:
    """Feature columns as the C-ordered float32 matrix of shape (rows, len(order)) that a compiled model takes."""
    matrix = np.empty((len(order), len(features[order[0]])), dtype=np.float32)
    for position, name in enumerate(order):
        matrix[position] = features[name]
    return np.ascontiguousarray(matrix.T)
