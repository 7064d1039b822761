"""Figures and tables of an evaluation, on rows small enough to work out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from modelkit.definition import load_catalog
from training.evaluation.diagnostics import (
    Judged,
    calibration_table,
    over_time_table,
    periods,
    residuals_table,
)
from training.evaluation.importance import permutation_importance
from training.evaluation.run_facts import number
from training.evaluation.scores import expected_calibration_error, losses, score, score_intervals
from training.evaluation.slices import score_slices, slices_table, worst_slice
from training.fitting.intervals import STATED

CATALOG = load_catalog()
FOOD, IRIS = CATALOG["food-delivery"], CATALOG["iris"]


def judged(errors: list[float], *, arms: float = 1.0, days: int = 1) -> Judged:
    """Predictions of ten plus an error, where the truth is ten."""
    rows = pd.DataFrame(
        {"label": 10.0, "city": ["urban", "urban", "metropolitan", None] * (len(errors) // 4)}
    )
    rows = rows.assign(
        time=pd.Timestamp("2022-03-01") + pd.to_timedelta(np.arange(len(errors)) % days, unit="D")
    )
    rows = rows.assign(**{name: None for name in FOOD.slices if name != "city"})
    predictions = 10.0 + np.array(errors)
    bounds = np.stack([predictions - arms, predictions + arms], axis=1)
    return Judged(definition=FOOD, rows=rows, outputs=predictions[:, np.newaxis], bounds=bounds)


def reach_of(errors: np.ndarray) -> tuple[float, ...]:
    """How many arms, of length one, hold each share of these errors."""
    return tuple(float(factor) for factor in np.quantile(np.abs(errors), STATED))


def test_coverage_counts_truths_within_bounds_and_width_is_what_it_costs() -> None:
    found = judged([0.5, -0.5, 2.0, -2.0])
    assert found.bounds is not None
    assert score_intervals(found.labels, found.bounds) == {"coverage": 0.5, "mean_width": 2.0}


def test_intervals_that_keep_their_promise_lie_on_the_line() -> None:
    errors = np.random.default_rng(0).normal(size=4000)
    table = calibration_table(judged(list(errors[2000:])), reach_of(errors[:2000]))
    assert np.abs(table["observed"] - table["stated"]).max() < 0.05


def test_intervals_that_promise_too_much_lie_below_the_line() -> None:
    errors = np.random.default_rng(0).normal(size=4000)
    table = calibration_table(judged(list(3 * errors[2000:])), reach_of(errors[:2000]))
    assert (table["observed"] < table["stated"]).all()


def test_a_slice_has_its_figure_its_rows_and_its_coverage_and_the_worst_comes_first() -> None:
    slices = score_slices(judged([0.5, 0.5, 3.0, 1.0]), 1)
    assert slices["city=metropolitan"] == {"mae": 3.0, "rows": 1, "coverage": 0.0, "mean_width": 2.0}
    assert slices_table(FOOD, slices)["slice"].iloc[0] == "city=metropolitan"
    assert worst_slice(FOOD, slices) == {"mae": 3.0}


def test_error_and_bias_are_given_for_each_period() -> None:
    table = over_time_table(judged([1.0, -1.0, 1.0, 3.0], days=2))
    assert list(table["period"]) == ["2022-03-01", "2022-03-02"]
    assert list(table["error"]) == [1.0, 2.0]
    assert list(table["bias"]) == [1.0, 1.0]


@pytest.mark.parametrize(("days", "expected"), [(20, 21), (150, 23), (700, 24)])
def test_a_long_time_has_a_point_a_week_or_a_month(days: int, expected: int) -> None:
    time = pd.Series(pd.date_range("2022-01-01", periods=days + 1, freq="D"))
    assert periods(time).nunique() == expected


def test_rows_without_time_are_one_period() -> None:
    assert set(periods(pd.Series([pd.NaT, pd.NaT]))) == {"all"}


def test_a_table_that_is_drawn_is_thinned_evenly() -> None:
    table = residuals_table(judged([float(value) for value in range(4000)]))
    assert len(table) == 500
    assert table["residual"].iloc[[0, -1]].tolist() == [0.0, 3999.0]


def test_a_confident_and_right_classifier_is_calibrated_and_a_confident_wrong_one_is_not() -> None:
    confidence = np.array([0.99, 0.99])
    assert expected_calibration_error(confidence, np.array([True, True])) == pytest.approx(0.01)
    assert expected_calibration_error(confidence, np.array([False, False])) == pytest.approx(0.99)


def test_the_brier_score_is_the_squared_distance_from_the_truth() -> None:
    outputs = np.array([[0.8, 0.1, 0.1], [0.0, 1.0, 0.0]])
    figures = score(IRIS, np.array(["setosa", "versicolor"]), outputs)
    assert figures["brier"] == pytest.approx((0.04 + 0.01 + 0.01) / 2)
    assert losses(IRIS, np.array(["setosa", "versicolor"]), outputs) == pytest.approx([-np.log(0.8), 0])


def test_only_the_feature_that_matters_is_important() -> None:
    random = np.random.default_rng(0)
    features = pd.DataFrame({name: random.normal(size=300) for name in FOOD.feature_columns})
    features["label"] = 5 * features["distance_km"]
    model = LinearRegression().fit(features[list(FOOD.feature_columns)], features["label"])
    table = permutation_importance(FOOD, model, features)
    assert table["feature"].iloc[0] == "distance_km"
    assert table["importance"].iloc[0] > 3
    assert table["importance"].iloc[1:].abs().max() < 1e-6


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (12000.0, "12,000"), (3.14159, "3.142"), (1e-16, "0"), (90894.4, "90,894")],
)
def test_a_figure_is_written_for_people(value: float | None, text: str) -> None:
    assert number(value) == text
