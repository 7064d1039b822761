"""What a search may look at: never the test split, never the future, never one entity on both sides."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd

from modelkit.definition import Task, load_catalog
from training.fitting.cuts import Cut
from training.search.folds import FOLDS, TIME_FOLDS, folds_of
from training.search.material import Judge

IRIS = load_catalog()["iris"]
DAYS, PER_DAY, DELAY = 40, 5, 3


def dated_rows() -> pd.DataFrame:
    """Rows of forty days, whose labels are known three days later; five rows have no time; the last days are the test."""
    day = np.repeat(np.arange(DAYS), PER_DAY)
    time = pd.Series(pd.Timestamp("2026-01-01") + pd.to_timedelta(day, unit="D")).astype("datetime64[s]")
    rows = pd.DataFrame({"label": 1.0, "time": time, "known_at": time + pd.Timedelta(days=DELAY)})
    rows["split"] = np.where(day >= 35, "test", np.where(day >= 30, "valid", "train"))
    undated = pd.DataFrame({"label": [1.0] * 5, "time": pd.NaT, "known_at": pd.NaT, "split": "train"})
    undated[["time", "known_at"]] = undated[["time", "known_at"]].astype("datetime64[s]")
    shuffled = pd.concat([rows, undated]).sample(frac=1, random_state=0)
    return shuffled.assign(entity=None).reset_index(drop=True)


def timeless_rows(count: int = 120) -> pd.DataFrame:
    rows = pd.DataFrame({"label": np.array(["a", "b", "c"])[np.arange(count) % 3], "split": "train"})
    rows.loc[rows.index % 5 == 0, "split"] = "test"
    missing = pd.Series(pd.NaT, index=rows.index).astype("datetime64[s]")
    return rows.assign(time=missing, known_at=missing, entity=None)


def test_a_fold_with_time_learns_only_what_was_known_when_its_window_began() -> None:
    rows = dated_rows()
    folds = folds_of(rows, Task.REGRESSION, seed=1)
    assert len(folds) == TIME_FOLDS
    for fold in folds:
        learned, judged = rows[fold.cut.rows], rows[fold.judged]
        assert fold.cut.now == judged["time"].min()
        assert (learned["known_at"].dropna() < fold.cut.now).all()
        assert learned["time"].max() <= fold.cut.now - pd.Timedelta(days=DELAY)
        assert learned["time"].isna().sum() == 5
        assert judged["time"].notna().all()


def test_windows_follow_each_other_and_what_is_learned_grows() -> None:
    rows = dated_rows()
    folds = folds_of(rows, Task.REGRESSION, seed=1)
    judged = [rows.loc[fold.judged, "time"] for fold in folds]
    assert all(before.max() < after.min() for before, after in pairwise(judged))
    sizes = [int(fold.cut.rows.sum()) for fold in folds]
    assert sizes == sorted(sizes)


def test_no_fold_ever_sees_the_test_split() -> None:
    for rows in (dated_rows(), timeless_rows()):
        for fold in folds_of(rows, Task.CLASSIFICATION, seed=1):
            assert not (rows.loc[fold.cut.rows | fold.judged, "split"] == "test").any()


def test_without_time_every_usable_row_is_judged_once_and_classes_keep_their_shares() -> None:
    rows = timeless_rows()
    folds = folds_of(rows, Task.CLASSIFICATION, seed=1)
    assert len(folds) == FOLDS
    assert (sum(fold.judged.astype(int) for fold in folds) == (rows["split"] != "test")).all()
    for fold in folds:
        assert not (fold.cut.rows & fold.judged).any()
        assert rows.loc[fold.judged, "label"].value_counts().max() <= 7


def test_rows_of_one_entity_stand_on_one_side() -> None:
    rows = timeless_rows().assign(entity=lambda frame: "e" + (frame.index // 4).astype(str))
    for task in Task:
        for fold in folds_of(rows, task, seed=1):
            assert not set(rows.loc[fold.cut.rows, "entity"]) & set(rows.loc[fold.judged, "entity"])


def test_a_judge_gives_running_means_over_its_folds() -> None:
    rows = timeless_rows().assign(label="setosa", **dict.fromkeys(IRIS.feature_columns, 1.0))
    cuts: list[Cut] = []

    class Sure:
        """Right on every other fold."""

        def predict_proba(self, matrix: pd.DataFrame) -> np.ndarray:
            return np.tile([1.0, 0.0, 0.0] if len(cuts) % 2 else [0.0, 1.0, 0.0], (len(matrix), 1))

    def fit(knobs: object, features: pd.DataFrame, cut: Cut) -> Sure:
        cuts.append(cut)
        return Sure()

    steps = list(Judge(IRIS, fit, rows, seed=1).steps({}))
    assert [round(step["accuracy"], 3) for step in steps] == [1, 0.5, 0.667, 0.5, 0.6]
    assert "log_loss" in steps[-1]
