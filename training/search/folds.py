"""Splits inside the train and valid rows, so that a search can be honest without ever looking at the test split.

Rows that have a time are cut as life cuts them: a fold is judged on the rows of its window, and knows of nothing whose
label was not known when the window began. Rows of one entity never stand on both sides of a fold that has no time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

from modelkit.definition import Task
from training.fitting.cuts import Cut, known_at

Positions = NDArray[np.intp]
Mask = NDArray[np.bool_]
TIME_FOLDS, FOLDS = 3, 5
# The first window begins here: a model fitted on less says little about one fitted on everything.
FIRST_WINDOW = 0.55


@dataclass(frozen=True, kw_only=True)
class Fold:
    """What to fit on, and a mask of the rows to be judged on."""

    cut: Cut
    judged: Mask


def folds_of(rows: pd.DataFrame, task: Task, seed: int) -> list[Fold]:
    """Folds of prepared rows or of their features. Rows of the test split are in none."""
    usable = np.flatnonzero((rows["split"] != "test").to_numpy())
    dated = usable[rows["time"].notna().to_numpy()[usable]]
    if len(dated):
        return list(_expanding(rows, usable, dated))
    return list(_crossed(rows, usable, task, seed))


def _expanding(rows: pd.DataFrame, usable: Positions, dated: Positions) -> Iterator[Fold]:
    times = rows["time"].to_numpy()
    known = known_at(rows).to_numpy()
    edges = np.quantile(np.sort(times[dated]).astype(np.int64), np.linspace(FIRST_WINDOW, 1, TIME_FOLDS + 1))
    bounds = edges.astype(times.dtype)
    for number in range(TIME_FOLDS):
        begin, end = bounds[number], bounds[number + 1]
        last = number == TIME_FOLDS - 1
        judged = dated[(times[dated] >= begin) & ((times[dated] < end) | last)]
        # What has no time at all has no future to leak from.
        before = np.isnat(times[usable]) | ((times[usable] < begin) & (known[usable] < begin))
        if len(judged) and before.any():
            yield _fold(rows, usable[before], judged, now=pd.Timestamp(begin))


def _crossed(rows: pd.DataFrame, usable: Positions, task: Task, seed: int) -> Iterator[Fold]:
    labels, entities = rows["label"].iloc[usable], rows["entity"].iloc[usable]
    grouped = bool(entities.notna().all())
    splitter = _splitter(task, grouped=grouped, seed=seed)
    for fit, judge in splitter.split(labels, labels, entities if grouped else None):
        yield _fold(rows, usable[fit], usable[judge], now=None)


def _fold(rows: pd.DataFrame, fit: Positions, judged: Positions, *, now: pd.Timestamp | None) -> Fold:
    everywhere = np.arange(len(rows))
    return Fold(cut=Cut(rows=np.isin(everywhere, fit), now=now), judged=np.isin(everywhere, judged))


def _splitter(task: Task, *, grouped: bool, seed: int) -> Any:
    shuffled = {"n_splits": FOLDS, "shuffle": True, "random_state": seed}
    if task is Task.CLASSIFICATION:
        return StratifiedGroupKFold(**shuffled) if grouped else StratifiedKFold(**shuffled)
    return GroupKFold(**shuffled) if grouped else KFold(**shuffled)
