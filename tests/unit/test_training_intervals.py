"""Bounds around predictions: as many truths inside as stated, wide where errors are large, the same in the graph."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from modelkit.runtime import CompiledModel
from training.compiling.graph import to_graph
from training.fitting.intervals import (
    LEAST_ROWS,
    Calibration,
    Intervals,
    apply,
    calibrate,
    read_intervals,
    write_intervals,
)

COVERAGE = 0.8


def draw(rows: int, seed: int) -> Calibration:
    """Errors grow with the first feature and are three times as long upwards as downwards."""
    random = np.random.default_rng(seed)
    features = random.uniform(0, 1, size=(rows, 3)).astype(np.float32).astype(np.float64)
    predictions = 10 + 5 * features[:, 1]
    errors = np.where(random.random(rows) < 0.5, -1.0, 3.0) * random.exponential(size=rows)
    labels = predictions + errors * (0.2 + features[:, 0])
    features[random.random((rows, 3)) < 0.1] = np.nan
    return Calibration(features=features, predictions=predictions, labels=labels)


@pytest.fixture(scope="module")
def intervals() -> Intervals:
    found = calibrate(draw(1500, seed=1), coverage=COVERAGE, least=9.0)
    assert found is not None
    return found


def bounds(intervals: Intervals, rows: Calibration) -> np.ndarray:
    return apply(intervals, rows.features, rows.predictions)


def test_the_stated_share_of_new_truths_lies_inside_and_each_tail_gets_half_the_rest(
    intervals: Intervals,
) -> None:
    new = draw(4000, seed=2)
    lower, upper = bounds(intervals, new).T
    assert (new.labels < lower).mean() == pytest.approx(0.1, abs=0.02)
    assert (new.labels > upper).mean() == pytest.approx(0.1, abs=0.02)


def test_copies_of_a_row_do_not_vouch_for_one_another() -> None:
    """A model that saw a copy knows the row's own error: bounds would be too narrow for rows that nobody saw."""
    once, new = draw(300, seed=11), draw(4000, seed=12)
    thrice = Calibration(
        features=np.tile(once.features, (3, 1)),
        predictions=np.tile(once.predictions, 3),
        labels=np.tile(once.labels, 3),
    )
    told = dataclasses.replace(thrice, origins=np.tile(np.arange(300), 3))
    inside = {}
    for name, rows in (("told", told), ("untold", thrice)):
        found = calibrate(rows, coverage=COVERAGE, least=None)
        assert found is not None
        lower, upper = bounds(found, new).T
        inside[name] = ((lower <= new.labels) & (new.labels <= upper)).mean()
    assert inside["told"] == pytest.approx(COVERAGE, abs=0.05)
    assert inside["untold"] < inside["told"]


def test_bounds_hold_at_a_moment_that_lies_off_all_that_came_before() -> None:
    """Answers of each moment are off in a direction of their own: errors of one say little about the next."""
    shifts = np.random.default_rng(13).normal(scale=3.0, size=12)
    moments = [draw(120, seed=20 + number) for number in range(12)]
    labels = [moment.labels + shift for moment, shift in zip(moments, shifts, strict=True)]
    inside: dict[int, list[float]] = {1: [], 3: []}
    for last, count in itertools.product(range(3, 12), inside):
        known = range(last - count, last)
        held_out = Calibration(
            features=np.concatenate([moments[number].features for number in known]),
            predictions=np.concatenate([moments[number].predictions for number in known]),
            labels=np.concatenate([labels[number] for number in known]),
        )
        found = calibrate(held_out, coverage=COVERAGE, least=None)
        assert found is not None
        lower, upper = bounds(found, moments[last]).T
        inside[count].append(float(((lower <= labels[last]) & (labels[last] <= upper)).mean()))
    assert np.mean(inside[1]) < np.mean(inside[3]) - 0.05


def test_a_clock_does_not_decide_how_wide_bounds_are() -> None:
    """Errors shrank while the clock went on; a row to come lies beyond the clock's last hour, and nobody knows its error."""
    rows = draw(1500, seed=15)
    rows.features[:, 2] = np.arange(1500)
    labels = rows.predictions + (rows.labels - rows.predictions) * np.linspace(5, 1, 1500)
    told = dataclasses.replace(rows, labels=labels, clocks=(2,))
    untold = dataclasses.replace(rows, labels=labels)
    now = draw(500, seed=16)
    now.features[:, 2] = 1500.0
    widths = []
    for held_out in (told, untold):
        found = calibrate(held_out, coverage=COVERAGE, least=None)
        assert found is not None
        widths.append(np.ptp(bounds(found, now), axis=1).mean())
    assert widths[0] > 1.3 * widths[1]


def test_hard_rows_get_wide_bounds_and_long_tails_long_arms(intervals: Intervals) -> None:
    new = draw(4000, seed=3)
    lower, upper = bounds(intervals, new).T
    width, hardness = upper - lower, new.features[:, 0]
    assert width[hardness > 0.9].mean() > 2 * width[hardness < 0.1].mean()
    assert (upper - new.predictions).mean() > 2 * (new.predictions - lower).mean()


def test_bounds_hold_the_prediction_and_stay_above_the_least(intervals: Intervals) -> None:
    new = draw(1000, seed=4)
    lower, upper = bounds(intervals, new).T
    assert (lower <= new.predictions).all()
    assert (new.predictions <= upper).all()
    assert lower.min() == 9.0


def test_bounds_are_no_narrower_than_a_small_sample_can_vouch_for() -> None:
    """One more row than the sample could lie beyond all of them: with few rows the factors are the extremes."""
    few = draw(LEAST_ROWS, seed=5)
    found = calibrate(few, coverage=0.99, least=None)
    assert found is not None
    lower, upper = bounds(found, few).T
    assert ((lower <= few.labels) & (few.labels <= upper)).mean() >= 0.99


def test_rows_that_weigh_more_count_more() -> None:
    rows = draw(1500, seed=6)
    late = np.arange(1500) >= 750
    twice = np.where(late, rows.labels + (rows.labels - rows.predictions), rows.labels)
    calibrations = [
        Calibration(features=rows.features, predictions=rows.predictions, labels=twice, weights=weights)
        for weights in (np.where(late, 1.0, 0.01), np.where(late, 0.01, 1.0))
    ]
    wide, narrow = (calibrate(found, coverage=COVERAGE, least=None) for found in calibrations)
    assert wide is not None
    assert narrow is not None
    assert np.ptp(bounds(wide, rows), axis=1).mean() > 1.5 * np.ptp(bounds(narrow, rows), axis=1).mean()


def test_too_few_rows_give_none(tmp_path: Path) -> None:
    none = calibrate(draw(LEAST_ROWS - 1, seed=7), coverage=COVERAGE, least=None)
    assert none is None
    write_intervals(none, tmp_path)
    assert read_intervals(tmp_path) is None


def test_what_was_written_gives_the_same_bounds(intervals: Intervals, tmp_path: Path) -> None:
    write_intervals(intervals, tmp_path)
    found = read_intervals(tmp_path)
    assert found is not None
    new = draw(50, seed=8)
    assert np.array_equal(bounds(found, new), bounds(intervals, new))


def test_the_graph_gives_the_same_bounds_alone_and_in_a_batch(intervals: Intervals) -> None:
    new = draw(500, seed=9)
    features = np.nan_to_num(new.features).astype(np.float32)
    model = LinearRegression().fit(features, new.labels - 9)
    compiled = CompiledModel(to_graph(model, 3, intervals=intervals, least=9.0))
    outputs = compiled.run(features)
    predictions = np.maximum(model.predict(features), 9.0)
    assert predictions.min() == 9.0
    assert outputs[:, 0] == pytest.approx(predictions, rel=1e-6)
    assert outputs[:, 1:] == pytest.approx(apply(intervals, features, outputs[:, 0]), rel=1e-6)
    alone = [compiled.run(features[row : row + 1]) for row in range(len(features))]
    assert np.array_equal(outputs, np.concatenate(alone))
