"""Prepared rows of food-delivery: split by time, no test row in training, no row lost without a reason."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from catalog.food_delivery.recipe import prepare, synthesise
from catalog.food_delivery.recipe.cleaning import COORDINATES
from modelkit.tally import RowTally
from training.params import read_params

KNOBS = read_params("food-delivery").prepare


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, RowTally]:
    raw = tmp_path_factory.mktemp("raw")
    for name, content in synthesise(11).items():
        (raw / name).write_bytes(content)
    return prepare(raw, KNOBS)


def test_no_row_is_lost_without_a_reason(prepared: tuple[pd.DataFrame, RowTally]) -> None:
    rows, tally = prepared
    assert len(rows) == tally.used == tally.read.total() - tally.dropped.total()
    assert tally.dropped.total() > 0


def test_the_split_follows_time(prepared: tuple[pd.DataFrame, RowTally]) -> None:
    times = prepared[0].groupby("split")["time"]
    first, last = times.min(), times.max()
    assert last["train"] < first["valid"] <= last["valid"] < first["test"]
    assert (last["test"] - first["test"]).days + 1 == KNOBS["test_days"]


def test_undated_rows_only_ever_train(prepared: tuple[pd.DataFrame, RowTally]) -> None:
    rows, _ = prepared
    assert set(rows.loc[rows["time"].isna(), "split"]) == {"train"}


def test_no_undated_copy_of_a_dated_row_trains(prepared: tuple[pd.DataFrame, RowTally]) -> None:
    rows, tally = prepared
    assert tally.dropped["undated copy of a dated row, by id"] > 0
    assert tally.dropped["undated copy of a dated row, by values"] >= 50
    keys = [*COORDINATES, "entity", "label"]
    places = (
        rows.assign(**{name: rows[name].abs() for name in COORDINATES})[keys]
        .astype(str)
        .agg("|".join, axis=1)
    )
    undated = rows["time"].isna()
    assert not set(places[undated]) & set(places[~undated])


def test_dropped_rows_are_counted_by_reason(tmp_path: Path) -> None:
    for name, content in synthesise(11).items():
        (tmp_path / name).write_bytes(content)
    path = tmp_path / "train_raw.csv.gz"
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    frame.loc[0, "Time_taken (min)"] = "soon"
    frame.loc[1, "Order_Date"] = ""
    frame.loc[2] = frame.loc[3]
    frame.to_csv(path, index=False)
    _, tally = prepare(tmp_path, KNOBS)
    assert {name: tally.dropped[name] for name in ("no label", "no order date", "duplicate row")} == {
        "no label": 1,
        "no order date": 1,
        "duplicate row": 1,
    }
