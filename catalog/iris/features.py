"""Request columns to model columns for iris: the four lengths as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

FEATURE_COLUMNS = ("sepal_length", "sepal_width", "petal_length", "petal_width")


def build(columns: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
    """Feature columns of shape (rows,)."""
    return {name: columns[name] for name in FEATURE_COLUMNS}
