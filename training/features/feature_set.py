"""The rows of a feature view as a recipe materialised them: checked, sorted, and known by a digest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import isnan

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from modelkit.view_rows import Numbers, ViewRows
from training.errors import FeaturesInvalid

MAX_NAMED = 3


@dataclass(frozen=True, kw_only=True)
class FeatureSet:
    """`numbers` has one row per key, in the order of the view's fields, NaN where a value is missing."""

    rows: ViewRows
    keys: list[str]
    numbers: NDArray[np.float64]

    @cached_property
    def digest(self) -> str:
        found = hashlib.sha256(self.rows.digest.encode())
        found.update("\x00".join(self.keys).encode())
        found.update(self.numbers.tobytes())
        return found.hexdigest()

    def blocks(self, size: int) -> Iterator[list[tuple[str, Numbers]]]:
        for start in range(0, len(self.keys), size):
            numbers = self.numbers[start : start + size].tolist()
            yield list(zip(self.keys[start : start + size], numbers, strict=True))


def feature_set(rows: ViewRows, frame: pd.DataFrame) -> FeatureSet:
    """Raises FeaturesInvalid unless the frame holds one valid row of the view per key."""
    view = rows.view
    expected = [view.key, *rows.names]
    if sorted(frame.columns) != sorted(expected):
        difference = sorted(set(frame.columns) ^ set(expected))
        raise FeaturesInvalid(f"features {view.name}: columns differ from the view: {', '.join(difference)}")
    keys = frame[view.key].tolist()
    if not keys or not all(isinstance(key, str) for key in keys):
        raise FeaturesInvalid(f"features {view.name}: {view.key} must be text in every row")
    if frame[view.key].duplicated().any():
        raise FeaturesInvalid(f"features {view.name}: an entity has more than one row")
    if view.default_key is not None and view.default_key not in keys:
        raise FeaturesInvalid(f"features {view.name}: there is no row for the default key")
    frame = frame.sort_values(view.key)
    made = FeatureSet(rows=rows, keys=frame[view.key].tolist(), numbers=_matrix(rows, frame))
    _check_rows(made)
    return made


def _matrix(rows: ViewRows, frame: pd.DataFrame) -> NDArray[np.float64]:
    try:
        columns = [frame[name].astype("Float64").to_numpy(np.float64, na_value=np.nan) for name in rows.names]
    except (TypeError, ValueError) as error:
        raise FeaturesInvalid(f"features {rows.view.name}: a column holds no numbers: {error}") from error
    return np.ascontiguousarray(np.column_stack(columns)) + 0.0  # no negative zeros: equal rows, equal bytes


def _check_rows(made: FeatureSet) -> None:
    found: list[str] = []
    for number, row in enumerate(made.numbers.tolist()):
        try:
            made.rows.check(row)
        except ValueError as error:
            found.append(f"row {number}: {error}")
    if found:
        named = "; ".join(found[:MAX_NAMED])
        raise FeaturesInvalid(f"features {made.rows.view.name}: {len(found)} rows are not valid: {named}")


def without_nan(numbers: Numbers) -> list[float | None]:
    """A row as SQL stores it."""
    return [None if isnan(number) else number for number in numbers]
