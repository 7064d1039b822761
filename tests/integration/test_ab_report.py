"""`ab-report` over logs whose answer is known: broken splits are found, and intervals say what they may."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from modelkit.definition import load_catalog
from monitoring.ab import AbQuestion, ab_report
from monitoring.chosen_arms import Versions
from monitoring.figures import AbReport
from records.arms import Period
from records.prediction_log import insert_predictions
from records.tables import Feedback
from tests.logged_comparison import NOW, Logged, Told
from tests.prediction_records import made_record

FOOD, IRIS = (load_catalog()[name] for name in ("food-delivery", "iris"))


def report_of(engine: Engine, weight: float | None = 0.5, definition=FOOD) -> AbReport:
    now = datetime.now(UTC)
    period = Period(model=definition.name, since=now - timedelta(days=1), until=now)
    return ab_report(
        engine, AbQuestion(definition=definition, period=period, wanted=Versions(), weight=weight)
    )


def also(engine: Engine, *names: str, **changes: Any) -> None:
    """More rows, of production's if nothing else is said."""
    row = {"version": "1", "arm": "production", "created_at": NOW.timestamp() - 3500, **changes}
    with engine.begin() as connection:
        insert_predictions(connection, [made_record(name, **row) for name in names])


def test_a_worse_challenger_is_told(engine: Engine) -> None:
    Logged(engine, FOOD).split(Told(shift=2.0))
    report = report_of(engine)
    assert report.error_difference is not None
    assert report.prediction_difference is not None
    assert report.production is not None
    assert report.challenger is not None
    assert report.error_difference.low is not None
    assert report.error_difference.high is not None
    assert report.error_difference.low > 0.5
    assert report.error_difference.low < report.error_difference.estimate < report.error_difference.high
    assert "mean absolute error is higher" in report.error_difference.says
    assert 1.5 < report.prediction_difference.estimate < 2.5
    assert (report.production.units, report.challenger.units) == (100, 100)
    assert report.challenger.error is not None
    assert report.production.error is not None
    assert math.isclose(
        report.challenger.error - report.production.error, report.error_difference.estimate, rel_tol=1e-9
    )


def test_two_equal_versions_show_no_difference_and_how_large_it_may_be(engine: Engine) -> None:
    Logged(engine, FOOD).split(Told())
    report = report_of(engine)
    assert report.error_difference is not None
    assert report.error_difference.says.startswith("no difference of the mean absolute error is shown")
    assert "up to" in report.error_difference.says


def test_latency_is_of_rows_that_were_not_cached(engine: Engine) -> None:
    Logged(engine, FOOD).split(Told())
    names = [f"c-{number}" for number in range(50)]
    also(engine, *names, subject="caller-199", cached=True, latency_ms=900.0)
    report = report_of(engine)
    assert report.production is not None
    assert report.challenger is not None
    assert report.production.latency_ms is not None
    assert report.challenger.latency_ms is not None
    assert (report.production.latency_ms.p99, report.challenger.latency_ms.p50) == (1.0, 2.0)
    assert report.production.cached_share > 0


def test_a_broken_split_is_the_first_thing_that_is_said(engine: Engine) -> None:
    Logged(engine, FOOD).split(Told(callers=400, challenger_share=0.4))
    report = report_of(engine, weight=0.5)
    assert report.split is not None
    assert report.split.is_broken
    assert report.says[0].startswith("THE SPLIT IS BROKEN")
    right = report_of(engine, weight=0.4)
    assert right.split is not None
    assert not right.split.is_broken


def test_a_split_that_nobody_named_is_not_tested(engine: Engine) -> None:
    Logged(engine, FOOD).split(Told())
    report = report_of(engine, weight=None)
    assert report.split is not None
    assert (report.split.p_value, report.split.is_broken) == (None, False)
    assert "was not tested" in report.split.says


def test_callers_whom_both_answered_are_told_and_count_for_neither(engine: Engine) -> None:
    Logged(engine, FOOD).split(Told(shift=2.0))
    alone = report_of(engine)
    for number in range(20):  # the busiest of all, with answers that would be seen
        rows = [f"x-{number}-{row}" for row in range(20)]
        also(engine, *rows, subject=f"caller-{number}", predicted_value=1000.0, latency_ms=99.0)
    report = report_of(engine)
    assert report.split is not None
    assert report.production is not None
    assert report.challenger is not None
    assert alone.production is not None
    assert report.split.units_in_both == 20
    assert "20 more were answered by both, and are left out" in report.split.says
    assert (report.production.units, report.challenger.units) == (100, 80)
    assert report.production == alone.production


def test_requests_that_named_their_version_are_no_arm(engine: Engine) -> None:
    Logged(engine, FOOD).split(Told(shift=2.0))
    before = report_of(engine)
    named = [f"n-{number}" for number in range(300)]
    also(engine, *named, version="2", arm="named", subject="caller-150", predicted_value=0.0, cached=True)
    after = report_of(engine)
    assert (after.production, after.challenger) == (before.production, before.challenger)
    assert after.error_difference == before.error_difference
    assert after.left_out == {"2 (asked for by name)": 300}


def test_the_version_with_more_rows_is_not_taken_for_production(engine: Engine) -> None:
    Logged(engine, FOOD).split(Told(shift=2.0, challenger_share=0.7))
    report = report_of(engine, weight=0.7)
    assert report.production is not None
    assert report.challenger is not None
    assert (report.production.version, report.challenger.version) == ("1", "2")
    assert report.challenger.rows > report.production.rows
    assert report.prediction_difference is not None
    assert "answers are higher" in report.prediction_difference.says


def test_versions_that_no_split_chose_are_not_compared(engine: Engine) -> None:
    when = NOW.timestamp() - 3500
    for version in ("1", "2"):
        also(
            engine, *(f"{version}-{number}" for number in range(50)), version=version, arm="", created_at=when
        )
    report = report_of(engine)
    assert not report.enough
    assert "version 1 with 50 rows without a split" in report.says[-1]


def test_the_last_challenger_is_compared_with_production_beside_it(engine: Engine) -> None:
    Logged(engine, FOOD).split(Told())
    recent, old = NOW.timestamp() - 60, NOW.timestamp() - 20_000
    also(engine, "promoted", version="2", created_at=recent)  # production by now
    also(engine, "before", version="0", arm="challenger", created_at=old)
    also(engine, "earlier", version="9", created_at=old)
    report = report_of(engine)
    assert report.production is not None
    assert report.challenger is not None
    assert (report.production.version, report.challenger.version) == ("1", "2")
    assert report.left_out == {"2 (as production)": 1, "0 (as challenger)": 1, "9 (as production)": 1}


def test_error_rates_without_variation_are_no_certainty(engine: Engine) -> None:
    when = NOW.timestamp() - 3500
    with Session(engine) as session, session.begin():
        for number in range(80):
            session.add(
                Feedback(
                    prediction_id=f"p-{number}",
                    subject="ada",
                    actual="setosa",
                    model="iris",
                    correct=False,
                    scored_at=NOW,
                )
            )
    for number in range(80):
        arm = ("production", "challenger")[number % 2]
        version = str(1 + number % 2)
        also(
            engine,
            f"p-{number}",
            model="iris",
            version=version,
            arm=arm,
            subject=f"c-{number}",
            created_at=when,
        )
    report = report_of(engine, definition=IRIS)
    assert report.error_difference is not None
    assert report.error_difference.low is not None
    assert report.error_difference.high is not None
    assert report.error_difference.low < -0.08
    assert report.error_difference.high > 0.08
    assert "-0 " not in report.error_difference.says


def test_numbers_that_cannot_be_added_up_cost_themselves_and_no_report(engine: Engine) -> None:
    Logged(engine, FOOD).split(Told())
    also(engine, "huge-1", "huge-2", "huge-3", subject="caller-199", predicted_value=1.7e308)
    report = report_of(engine)
    assert report.production is not None
    assert report.prediction_difference is not None
    assert report.prediction_difference.high is not None
    assert abs(report.prediction_difference.high) < 10
    assert report.production.mean_prediction is not None
    assert report.production.mean_prediction < 100


def test_a_few_callers_with_most_of_the_rows_are_told(engine: Engine) -> None:
    Logged(engine, FOOD).split(Told())
    for caller in range(180, 188):
        also(engine, *(f"b-{caller}-{row}" for row in range(200)), subject=f"caller-{caller}")
    says = report_of(engine).says
    assert says[-1].startswith("a few callers have most of the rows of production: 100 callers are worth")


def test_the_unit_is_the_key_where_there_is_one(engine: Engine) -> None:
    when = datetime.now(UTC).timestamp() - 600
    records = [
        made_record(
            f"p-{number}",
            version=str(1 + number % 2),
            arm=("production", "challenger")[number % 2],
            subject="shop",
            split_key=f"{number}",
            created_at=when,
        )
        for number in range(100)
    ]
    with engine.begin() as connection:
        insert_predictions(connection, records)
    report = report_of(engine)
    assert report.production is not None
    assert report.production.units == 50


def test_too_little_is_said_and_no_figure_given(engine: Engine) -> None:
    (sentence,) = report_of(engine).says
    assert sentence.endswith("to production and to a challenger, and here answered: none")
    Logged(engine, FOOD).split(Told(callers=38))
    report = report_of(engine)
    assert not report.enough
    assert report.error_difference is None
    assert "not enough data: 19 callers (worth" in report.says[-1]
    assert "at least 20 of each, worth 5" in report.says[-1]


def test_without_truth_the_answers_are_compared_all_the_same(engine: Engine) -> None:
    Logged(engine, FOOD).split(Told(known=0.0, shift=1.0))
    report = report_of(engine)
    assert report.error_difference is None
    assert report.prediction_difference is not None
    assert any(sentence.startswith("not enough truth") for sentence in report.says)


def test_only_the_time_in_which_both_answered_counts(engine: Engine) -> None:
    Logged(engine, FOOD).split(Told())
    before = datetime.now(UTC).timestamp() - 20_000
    with engine.begin() as connection:
        early = [
            made_record(
                f"e-{number}", version="1", arm="production", subject=f"early-{number}", created_at=before
            )
            for number in range(60)
        ]
        insert_predictions(connection, early)
    report = report_of(engine)
    assert report.production is not None
    assert report.production.units == 100
