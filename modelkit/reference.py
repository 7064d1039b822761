"""The drift reference that travels inside a version: how each column and the prediction were distributed in training."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

BINS = 10
BACKGROUND_ROWS = 64


class ColumnReference(msgspec.Struct, frozen=True, kw_only=True):
    """`shares` sum to 1 with `missing`. Numbers: `edges` are the inner quantile edges (len(shares) == len(edges) + 1).

    Text: `categories` name the shares; whatever is not among them counts as unseen.
    """

    kind: str
    shares: list[float]
    missing: float
    edges: list[float] = []
    categories: list[str] = []


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """`reference.json`: `rows` is how many rows the shares were counted on.

    `background` is a sample of these rows, for explanations to compare with; versions of before it was kept have none.
    """

    rows: int
    columns: dict[str, ColumnReference]
    prediction: ColumnReference
    background: list[dict[str, Any]] = []


def describe(column: NDArray[Any]) -> ColumnReference:
    """The reference of one column: quantile bins of numbers, shares of categories."""
    if column.dtype == object:
        return _describe_text(column)
    values = column.astype(np.float64)
    present = values[~np.isnan(values)]
    missing = 1.0 - len(present) / max(len(values), 1)
    if len(present) == 0:
        return ColumnReference(kind="number", shares=[0.0], missing=missing)
    edges = np.unique(np.quantile(present, np.linspace(0, 1, BINS + 1)[1:-1]))
    counts = np.bincount(np.searchsorted(edges, present, side="right"), minlength=len(edges) + 1)
    return ColumnReference(
        kind="number", shares=(counts / len(values)).tolist(), missing=missing, edges=edges.tolist()
    )


def _describe_text(column: NDArray[Any]) -> ColumnReference:
    counts = Counter(str(value) for value in column if value is not None)
    total = max(len(column), 1)
    categories = sorted(counts)
    return ColumnReference(
        kind="text",
        shares=[counts[name] / total for name in categories],
        missing=1.0 - sum(counts.values()) / total,
        categories=categories,
    )
