"""Which rows may train a model that is fitted at a moment: those whose label was known by then.

The same rule at every moment, so that an evaluation says what a model fitted on that day would really have been worth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from training.errors import PreparedDataInvalid


@dataclass(frozen=True, kw_only=True)
class Cut:
    """`rows` is a mask over the frame that it was made from; `now` is None where the data has no time."""

    rows: NDArray[np.bool_]
    now: pd.Timestamp | None


def evaluation_cut(frame: pd.DataFrame) -> Cut:
    """The train split as it was known just before the valid split begins."""
    return _before(frame, split="train", later="valid")


def calibration_cut(frame: pd.DataFrame) -> Cut:
    """The valid split as it was known just before the test split begins."""
    return _before(frame, split="valid", later="test")


def final_cut(frame: pd.DataFrame) -> Cut:
    """Every row, of whatever split, whose label is known when the data ends."""
    now = _moment(frame["time"].max())
    known = known_at(frame)
    return _cut(known.isna() | (known <= now) if now is not None else known.isna(), now)


def known_at(frame: pd.DataFrame) -> pd.Series:
    """When each label became known: never missing for a row that has a time."""
    return frame["known_at"].where(frame["known_at"].notna(), frame["time"])


def _before(frame: pd.DataFrame, *, split: str, later: str) -> Cut:
    now = _moment(frame.loc[frame["split"] == later, "time"].min())
    chosen = frame["split"] == split
    if now is None:
        return _cut(chosen, now)
    known = known_at(frame)
    return _cut(chosen & (known.isna() | (known < now)), now)


def _cut(chosen: pd.Series, now: pd.Timestamp | None) -> Cut:
    if not chosen.any():
        raise PreparedDataInvalid(f"no row's label is known at {now}: the splits overlap in time")
    return Cut(rows=chosen.to_numpy(dtype=bool), now=now)


def _moment(time: Any) -> pd.Timestamp | None:
    return None if pd.isna(time) else pd.Timestamp(time)
