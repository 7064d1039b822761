"""Labelled rows of a later slice of raw data, each as of its own time, whether the slice comes alone or with its history."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from modelkit.definition import ModelDefinition
from training.data.raw_merge import MergedFile, merge_raw, raw_folder
from training.errors import RawDataMissing
from training.recipes import recipe_of


@dataclass(frozen=True, kw_only=True)
class LaterSlice:
    """`rows` as `labelled` gives them. `known` is how many rows the known data holds already; they are not among them."""

    rows: pd.DataFrame
    known: int
    merged: tuple[MergedFile, ...]
    notes: tuple[str, ...]


def later_slice(
    definition: ModelDefinition, later: Path, *, known: Path, since: pd.Timestamp | None
) -> LaterSlice:
    """Rows from `since` on. Without it, or where rows have no time, those that the known data does not hold.

    `later` may hold the slice alone or the whole history: either way features are built from both.
    """
    recipe = recipe_of(definition)
    with tempfile.TemporaryDirectory() as folder:
        merged = merge_raw(recipe, known, raw_folder(recipe, later), Path(folder))
        rows, _ = recipe.labelled(Path(folder))
    timed = rows["time"].notna()
    notes = []
    if since is not None and not timed.any():
        notes.append("--from is ignored: rows of this model have no time")
    if since is not None and timed.any():
        chosen, unplaced = rows["time"] >= since, ~timed
    else:
        chosen, unplaced = pd.Series(False, index=rows.index), pd.Series(True, index=rows.index)
    if unplaced.any():
        chosen |= unplaced & _is_new(definition, rows, recipe.labelled(known)[0])
    found = rows[chosen].sort_values("time", kind="stable").reset_index(drop=True)
    if found.empty:
        raise RawDataMissing(f"no labelled row of {later} is later than what {known} holds")
    left = _equal_rows(merged) if unplaced.all() else 0
    return LaterSlice(rows=found, known=left, merged=tuple(merged), notes=tuple(notes))


def _is_new(definition: ModelDefinition, rows: pd.DataFrame, known: pd.DataFrame) -> pd.Series:
    """Compared by the row's columns, label and time: identifiers need not survive a recipe."""
    columns = [*definition.row.model_fields, "label", "time"]
    held = set(pd.util.hash_pandas_object(known[columns].astype(str), index=False))
    return ~pd.util.hash_pandas_object(rows[columns].astype(str), index=False).isin(held)


def _equal_rows(merged: list[MergedFile]) -> int:
    return max((file.equal for file in merged), default=0)
