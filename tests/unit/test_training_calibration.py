"""What bounds are calibrated on: errors from several moments, none of which knew what it is judged on."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from modelkit.definition import load_catalog
from training.fitting.calibration import LEAST_CHANCE, chance_known, clocks
from training.fitting.origins import past_origins

# A row a day for 200 days; a label comes two days later. Valid are 20 days, test the 20 after.
DAYS = 200
TIME = pd.Series(pd.date_range("2024-01-01", periods=DAYS, freq="D"))
FRAME = pd.DataFrame(
    {
        "time": TIME,
        "known_at": TIME + pd.Timedelta(days=2),
        "split": ["train"] * 160 + ["valid"] * 20 + ["test"] * 20,
    }
)


def test_the_first_origin_is_the_start_of_the_valid_split_and_is_judged_on_it() -> None:
    [origin] = past_origins(FRAME, 1)
    assert origin.cut.now == TIME[160]
    assert np.flatnonzero(origin.window).tolist() == list(range(160, 180))
    # Labels of the last two days were not known when the test split began.
    assert np.flatnonzero(origin.judged).tolist() == list(range(160, 178))


def test_each_origin_before_it_is_a_valid_split_earlier_and_judged_on_twice_its_length() -> None:
    origins = past_origins(FRAME, 3)
    assert [origin.cut.now for origin in origins] == [TIME[160], TIME[140], TIME[120]]
    assert np.flatnonzero(origins[2].judged).tolist() == list(range(120, 160))


def test_no_origin_knows_a_label_that_came_later_nor_a_row_of_the_test_split() -> None:
    for origin in past_origins(FRAME, 5):
        assert (FRAME["known_at"][origin.cut.rows] < origin.cut.now).all()
        assert (FRAME["time"][origin.judged] >= origin.cut.now).all()
        assert (FRAME["known_at"][origin.judged] < TIME[180]).all()
        assert "test" not in set(FRAME["split"][origin.window])


def test_there_are_no_more_origins_than_the_data_reach_back() -> None:
    assert len(past_origins(FRAME, 100)) == 8


def test_without_time_there_is_one_origin() -> None:
    timeless = FRAME.assign(time=pd.NaT, known_at=pd.NaT)
    assert len(past_origins(timeless, 3)) == 1


def test_rows_without_a_time_may_train_at_every_origin() -> None:
    some = FRAME.assign(time=FRAME["time"].where(FRAME.index >= 10))
    for origin in past_origins(some, 3):
        assert origin.cut.rows[:10].all()
        assert not origin.judged[:10].any()


def test_a_late_label_counts_for_those_that_are_still_to_come() -> None:
    """Half of the labels take a day, half ten: of the window's last ten days only the quick are known."""
    delays = pd.to_timedelta(np.where(np.arange(DAYS) % 2, 10, 1), unit="D")
    late = FRAME.assign(known_at=FRAME["time"] + delays)
    origins = past_origins(late, 1)
    rows = late[origins[0].judged]
    chances = chance_known(late, origins, rows, TIME[180])
    slow = (rows["known_at"] - rows["time"] > pd.Timedelta(days=5)).to_numpy()
    assert chances[slow] == pytest.approx(11 / 20)
    assert chances[~slow] == pytest.approx(1)
    counted = (1 / chances)[slow].sum() / (1 / chances).sum()
    assert slow.mean() < 0.4
    assert counted == pytest.approx(0.5, abs=0.05)


def test_no_row_stands_for_more_than_ten() -> None:
    late = FRAME.assign(known_at=FRAME["time"] + pd.Timedelta(days=19, hours=23))
    origins = past_origins(late, 1)
    rows = late[origins[0].judged]
    assert chance_known(late, origins, rows, TIME[180]).min() == LEAST_CHANCE


def test_a_column_that_only_grows_is_a_clock_and_one_that_comes_back_is_none() -> None:
    definition = dataclasses.replace(
        load_catalog()["iris"], feature_columns=("day", "hour", "empty", "constant")
    )
    rows = FRAME.assign(day=np.arange(DAYS), hour=np.arange(DAYS) % 24, empty=np.nan, constant=1.0)
    rows.loc[::3, "day"] = np.nan
    assert clocks(definition, rows) == (0,)
    assert clocks(definition, rows.assign(time=pd.NaT)) == ()
