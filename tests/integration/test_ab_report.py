"""`ab-report` over logs whose answer is known: broken splits are found, and intervals say what they may."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from modelkit.definition import load_catalog
from monitoring.__main__ import main
from monitoring.ab import AbQuestion, Versions, ab_report
from monitoring.figures import AbReport
from records.arms import Period
from records.ledger import LedgerEntry, append
from records.prediction_log import insert_predictions
from tests.logged_comparison import NOW, Logged, Told
from tests.prediction_records import made_record

FOOD, IRIS = (load_catalog()[name] for name in ("food-delivery", "iris"))


def report_of(engine: Engine, weight: float | None = 0.5, definition=FOOD) -> AbReport:
    now = datetime.now(UTC)
    period = Period(model=definition.name, since=now - timedelta(days=1), until=now)
    expected = Versions("1", "2")
    return ab_report(
        engine, AbQuestion(definition=definition, period=period, expected=expected, weight=weight)
    )


def test_a_worse_challenger_is_told(engine: Engine) -> None:
    Logged(engine, FOOD).split(Told(shift=2.0))
    report = report_of(engine)
    assert report.error_difference is not None
    assert report.prediction_difference is not None
    assert report.production is not None
    assert report.challenger is not None
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
    with engine.begin() as connection:
        cached = [
            made_record(
                f"c-{number}",
                version="1",
                subject="caller-199",
                cached=True,
                latency_ms=900.0,
                created_at=NOW.timestamp() - 3500,
            )
            for number in range(50)
        ]
        insert_predictions(connection, cached)
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


def test_callers_whom_both_answered_are_told(engine: Engine) -> None:
    Logged(engine, FOOD).split(Told())
    with engine.begin() as connection:
        when = NOW.timestamp() - 3590
        crossed = [
            made_record(f"x-{number}", version="1", subject=f"caller-{number}", created_at=when + 20)
            for number in range(20)
        ]
        insert_predictions(connection, crossed)
    report = report_of(engine)
    assert report.split is not None
    assert report.split.units_in_both == 20
    assert "20 more were answered by both" in report.split.says


def test_the_unit_is_the_key_where_there_is_one(engine: Engine) -> None:
    when = datetime.now(UTC).timestamp() - 600
    records = [
        made_record(
            f"p-{number}", version=str(1 + number % 2), subject="shop", split_key=f"{number}", created_at=when
        )
        for number in range(100)
    ]
    with engine.begin() as connection:
        insert_predictions(connection, records)
    report = report_of(engine)
    assert report.production is not None
    assert report.production.units == 50


def test_too_little_is_said_and_no_figure_given(engine: Engine) -> None:
    assert report_of(engine).says == ["not enough data: two versions have to answer, and here answered: none"]
    Logged(engine, FOOD).split(Told(callers=40))
    report = report_of(engine)
    assert not report.enough
    assert report.error_difference is None
    assert "20 callers of version 1 and 20 of version 2, at least 30" in report.says[-1]


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
            made_record(f"e-{number}", version="1", subject=f"early-{number}", created_at=before)
            for number in range(60)
        ]
        insert_predictions(connection, early)
    report = report_of(engine)
    assert report.production is not None
    assert report.production.units == 100


def test_the_command_prints_a_table_and_json(database_url: str, engine: Engine, capsys) -> None:
    Logged(engine, FOOD).split(Told(shift=2.0))
    for alias, version in (("production", "1"), ("challenger", "2")):
        append(
            engine,
            LedgerEntry(
                model=FOOD.name,
                version=version,
                alias=alias,
                from_version=None,
                to_version=version,
                action="promote",
                actor="ada",
                reason="",
                report=None,
                at=datetime.now(UTC),
            ),
        )
    asked = ["ab-report", FOOD.name, "--weight", "50", "--database-url", database_url]
    assert main(asked) == 0
    text = capsys.readouterr().out
    assert "* the split is as meant" in text
    assert "mean absolute error, minutes" in text
    assert main([*asked, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["production"]["version"], found["challenger"]["version"]) == ("1", "2")
    assert found["split"]["is_broken"] is False


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["toaster"], "ab-report: the catalog declares no toaster"),
        (["iris", "--production", "1"], "ab-report: --production and --challenger go together"),
        (["iris", "--weight", "100"], "ab-report: --weight is a share between 0 and 100 per cent"),
        (["iris", "--database-url", "sqlite:////nowhere/at/all.db"], "ab-report: there is no database"),
    ],
)
def test_what_makes_no_sense_ends_with_2(sqlite_url: str, capsys, arguments: list[str], said: str) -> None:
    if "--database-url" not in arguments:
        arguments = [*arguments, "--database-url", sqlite_url]
    assert main(["ab-report", *arguments]) == 2
    assert capsys.readouterr().err.startswith(said)


def test_a_database_without_our_tables_is_said(tmp_path, capsys) -> None:
    (tmp_path / "empty.db").touch()
    assert main(["ab-report", "iris", "--database-url", f"sqlite:///{tmp_path / 'empty.db'}"]) == 2
    assert "`python -m records upgrade` makes them" in capsys.readouterr().err


def test_a_span_is_a_number_and_a_unit(capsys) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["ab-report", "iris", "--since", "yesterday"])
    assert stopped.value.code == 2
    assert "30m, 24h, 7d or 2w" in capsys.readouterr().err
