"""Prepared rows against the contract and against leaks: what would make the figures of an evaluation untrue."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from modelkit.definition import ModelDefinition, Task
from training.frames import SPLITS
from training.validation.findings import Finding

# The same row in the train and the test split flatters a model; a few are chance (flowers of equal size, reorders).
TOLERATED_SHARED_ROWS = 0.02
TOLERATED_DUPLICATES = 0.05
# No honest feature says the label but for a tenth of its spread. Fewer rows than these prove nothing.
SUSPICIOUS_CORRELATION = 0.995
LEAK_ROWS = 30


def check_rows(definition: ModelDefinition, rows: pd.DataFrame) -> list[Finding]:
    """Findings on labels, splits, times, duplicates and leaks of the rows that `prepare` gives."""
    return [
        *_check_labels(definition, rows),
        *_check_splits(rows),
        *_check_times(rows),
        *_check_duplicates(definition, rows),
        *_check_leaks(definition, rows),
    ]


def _check_labels(definition: ModelDefinition, rows: pd.DataFrame) -> Iterator[Finding]:
    label = rows["label"]
    yield _finding("label", "is there", label.isna())
    if definition.task is Task.CLASSIFICATION:
        yield _finding("label", "is a declared class", ~label.isin(definition.classes))
        return
    yield _finding("label", "is finite", ~np.isfinite(label.astype("float64")))
    if definition.least is not None:
        yield _finding("label", f"is at least {definition.least:g}", label < definition.least)


def _check_splits(rows: pd.DataFrame) -> Iterator[Finding]:
    empty = [name for name in SPLITS if not (rows["split"] == name).any()]
    yield Finding(
        subject="split", check="has rows", failed=len(empty), rows=len(SPLITS), example=", ".join(empty)
    )


def _check_times(rows: pd.DataFrame) -> Iterator[Finding]:
    """Train before valid before test; a label is known at its row's time at the earliest."""
    timed = rows[rows["time"].notna()]
    if timed.empty:
        return
    yield _finding("known_at", "is not before the row's time", timed["known_at"] < timed["time"])
    for earlier, later in (("train", "valid"), ("valid", "test")):
        first = timed.loc[timed["split"] == later, "time"].min()
        before = timed.loc[timed["split"] == earlier, "time"]
        yield _finding(f"split {earlier}", f"ends before {later} begins", before > first)


def _check_duplicates(definition: ModelDefinition, rows: pd.DataFrame) -> Iterator[Finding]:
    columns = [*definition.row.model_fields, "label", "time"]
    yield _finding("rows", "are unique", rows.duplicated(columns), TOLERATED_DUPLICATES)
    keys = pd.util.hash_pandas_object(rows[columns[:-1]].astype(str), index=False)
    test = (rows["split"] == "test").to_numpy()
    shared = keys[test].isin(set(keys[~test]))
    yield _finding("split test", "shares no row with the others", shared, TOLERATED_SHARED_ROWS)


def _check_leaks(definition: ModelDefinition, rows: pd.DataFrame) -> Iterator[Finding]:
    """A column that repeats the label was made from it, be it bent, blurred a little or written as text."""
    label = rows["label"]
    if definition.task is Task.CLASSIFICATION:
        label = label.map({name: place for place, name in enumerate(definition.classes)})
    label = label.astype("float64")
    for name in definition.row.model_fields:
        both = rows[name].notna() & label.notna()
        if both.sum() < LEAK_ROWS or rows[name][both].nunique() < 3:
            continue
        leaks = _likeness(rows[name][both], label[both]) > SUSPICIOUS_CORRELATION
        yield Finding(subject=name, check="does not repeat the label", failed=int(leaks), rows=1)


def _likeness(values: pd.Series, label: pd.Series) -> float:
    """The correlation of values or of their ranks; for text that repeats itself, of the label with its mean by text."""
    if pd.api.types.is_datetime64_any_dtype(values):
        return 0.0
    if pd.api.types.is_numeric_dtype(values):
        pairs = [(values.astype("float64"), label), (values.rank(), label.rank())]
    elif values.nunique() <= len(values) / LEAK_ROWS:
        pairs = [(label.groupby(values.astype(str)).transform("mean"), label)]
    else:
        return 0.0
    return max(_correlation(*pair) for pair in pairs)


def _correlation(one: pd.Series, other: pd.Series) -> float:
    if one.std() == 0 or other.std() == 0:
        return 0.0
    return abs(float(np.corrcoef(one, other)[0, 1]))


def _finding(subject: str, check: str, failed: pd.Series, tolerated: float = 0.0) -> Finding:
    return Finding(
        subject=subject, check=check, failed=int(failed.sum()), rows=len(failed), tolerated=tolerated
    )
