"""`shadow-report` over pairs whose difference is known: means, labels, truth, latency and the worst rows."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import Engine

from modelkit.definition import ModelDefinition, load_catalog
from monitoring.__main__ import main
from monitoring.chosen_arms import Versions
from monitoring.figures import ShadowReport
from monitoring.shadow import ShadowQuestion, Summed, _shift, shadow_report
from monitoring.shadow_text import shadow_text
from records.prediction_log import insert_predictions
from records.shadow_predictions import ShadowAnswer, insert_shadows
from tests.logged_comparison import NOW, Logged, Told
from tests.prediction_records import made_record

FOOD, IRIS = (load_catalog()[name] for name in ("food-delivery", "iris"))


def report_of(engine: Engine, definition: ModelDefinition = FOOD, worst: int = 3) -> ShadowReport:
    since = datetime.now(UTC) - timedelta(days=1)
    question = ShadowQuestion(definition=definition, since=since, versions=Versions("", ""), worst=worst)
    return shadow_report(engine, question)


def test_a_shift_is_measured_far_more_exactly_than_by_two_arms(engine: Engine) -> None:
    Logged(engine, FOOD).shadow(Told(shift=0.25))
    report = report_of(engine)
    assert report.difference is not None
    assert report.difference.low is not None
    assert report.difference.high is not None
    assert (report.production, report.challenger, report.pairs) == ("1", "2", 1000)
    assert report.difference.low <= 0.25 <= report.difference.high
    assert report.difference.high - report.difference.low < 0.03
    assert report.differences["p0"] < report.differences["p50"] < report.differences["p100"]
    assert abs(report.differences["p50"] - 0.25) < 0.02


def test_the_errors_of_both_are_compared_where_the_truth_is_known(engine: Engine) -> None:
    Logged(engine, FOOD).shadow(Told(shift=2.0, known=0.5))
    report = report_of(engine)
    assert report.error_difference is not None
    assert 400 < report.labelled < 600
    assert report.error_difference.low is not None
    assert report.error_difference.low > 0.8
    assert "mean absolute error is higher" in report.says[0]


def test_latency_is_what_both_took_for_a_row_in_the_agent(engine: Engine) -> None:
    Logged(engine, FOOD).shadow(Told())
    report = report_of(engine)
    assert report.production_latency_ms is not None
    assert report.challenger_latency_ms is not None
    assert (report.production_latency_ms.p50, report.challenger_latency_ms.p99) == (0.2, 0.3)


def test_the_worst_rows_come_with_their_ids(engine: Engine) -> None:
    Logged(engine, FOOD).shadow(Told())
    worst = report_of(engine, worst=5).worst
    assert len(worst) == 5
    assert [abs(row.difference) for row in worst] == sorted(
        (abs(row.difference) for row in worst), reverse=True
    )
    assert worst[0].prediction_id.startswith("p-")
    assert isinstance(worst[0].challenger, float)
    assert isinstance(worst[0].production, float)
    assert abs(worst[0].challenger - worst[0].production - worst[0].difference) < 1e-9


def test_labels_are_counted_by_what_both_said(engine: Engine) -> None:
    pairs = [("setosa", "setosa", None)] * 60 + [("virginica", "versicolor", None)] * 20
    Logged(engine, IRIS).labels(pairs)
    report = report_of(engine, IRIS)
    assert report.disagreement is not None
    assert report.confusion == {"setosa": {"setosa": 60}, "virginica": {"versicolor": 20}}
    assert report.disagreement.estimate == 0.25
    assert report.disagreement.low is not None
    assert report.disagreement.high is not None
    assert 0.1 < report.disagreement.low < 0.25 < report.disagreement.high < 0.45
    assert [row.prediction_id for row in report.worst] == ["p-00079", "p-00078", "p-00077"]
    assert (report.worst[0].production, report.worst[0].challenger) == ("virginica", "versicolor")


def test_the_error_rates_of_labels_are_compared_where_the_truth_is_known(engine: Engine) -> None:
    pairs = [
        *[("setosa", "setosa", "setosa")] * 40,
        *[("virginica", "versicolor", "versicolor")] * 30,  # the challenger is right
        *[("virginica", "versicolor", "virginica")] * 10,  # production is
        *[("virginica", "versicolor", "setosa")] * 20,  # nobody is
    ]
    Logged(engine, IRIS).labels(pairs)
    report = report_of(engine, IRIS)
    assert report.error_difference is not None
    assert report.labelled == 100
    assert abs(report.error_difference.estimate - (10 - 30) / 100) < 1e-9


def test_under_thirty_pairs_there_are_no_figures(engine: Engine) -> None:
    assert report_of(engine).says == [
        "not enough data: 0 rows were tried on a challenger, at least 30 are needed"
    ]
    Logged(engine, FOOD).shadow(Told(callers=5))
    report = report_of(engine)
    assert (report.enough, report.pairs, report.difference) == (False, 25, None)


def test_a_challenger_that_says_the_same_shows_no_difference(engine: Engine) -> None:
    Logged(engine, IRIS).labels([("setosa", "setosa", "setosa")] * 50)
    report = report_of(engine, IRIS)
    assert report.disagreement is not None
    assert (report.disagreement.estimate, report.disagreement.low) == (0.0, 0.0)
    assert report.disagreement.high is not None
    assert 0.05 < report.disagreement.high < 0.1
    error = report.error_difference
    assert error is not None
    assert error.low is not None
    assert error.high is not None
    assert error.low == -error.high
    assert 0.05 < error.high < 0.1, "none of 50 callers saw the two differ, which is not never"
    assert report.worst == []


def test_the_command_prints_tables_and_json(database_url: str, engine: Engine, capsys) -> None:
    Logged(engine, IRIS).labels([("setosa", "setosa", None)] * 30 + [("setosa", "virginica", None)] * 5)
    asked = ["shadow-report", "iris", "--database-url", database_url]
    assert main(asked) == 0
    text = capsys.readouterr().out
    assert "* the two disagree on 14.29 % of rows" in text
    assert "production said" in text
    assert main([*asked, "--json", "--worst", "2"]) == 0
    assert len(json.loads(capsys.readouterr().out)["worst"]) == 2


@pytest.mark.parametrize(
    ("callers", "said"), [(1, "all rows are of one caller"), (12, "12 callers are worth")]
)
def test_few_callers_give_figures_and_no_interval(engine: Engine, callers: int, said: str) -> None:
    Logged(engine, FOOD).shadow(Told(callers=callers, rows_each=50, shift=2.0))
    report = report_of(engine)
    for found in (report.difference, report.error_difference):
        assert found is not None
        assert (found.low, found.high) == (None, None)
    assert all(f"no winner: {said}" in sentence for sentence in report.says[:2])
    assert report.enough
    assert len(report.worst) == 3
    assert "at least 20 worth 5 are needed" in shadow_text(report)


def test_the_interval_holds_the_truth_with_few_callers_whose_rows_are_alike() -> None:
    """Through the report's own sums: 20 callers of 50 rows, whose mean difference is 0."""
    random, held = np.random.default_rng(4), 0
    for _ in range(1000):
        sums = 50 * random.normal(0, 1, 20) + random.normal(0, 1, 20) * np.sqrt(50)
        found = _shift(Summed(np.full(20, 50.0), sums, np.abs(sums)).mean, FOOD)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0 <= found.high
    assert 930 <= held <= 970


def test_what_was_asked_for_by_name_is_not_production(engine: Engine) -> None:
    Logged(engine, FOOD).shadow(Told(callers=30))
    records = [
        made_record(f"n-{number}", version="0", arm="named", created_at=NOW.timestamp() - 60)
        for number in range(400)
    ]
    tried = [
        ShadowAnswer(
            prediction_id=record.prediction_id,
            model=FOOD.name,
            version="2",
            predicted_value=9.0,
            prediction=None,
            outcome="ok",
            latency_ms=1.0,
            answered_latency_ms=None,
        )
        for record in records
    ]
    with engine.begin() as connection:
        insert_predictions(connection, records)
        insert_shadows(connection, tried)
    report = report_of(engine)
    assert (report.production, report.challenger, report.pairs) == ("1", "2", 150)
