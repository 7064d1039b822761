"""The bench's proof of the prediction log."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from bench.prediction_log import PredictionLog, count_answered

EXPOSITION = """\
# HELP slipway_predictions_total Answered prediction rows.
# TYPE slipway_predictions_total counter
slipway_predictions_total{model="a",outcome="ok",source="model",version="1"} 1200.0
slipway_predictions_total{model="a",outcome="ok",source="cache",version="1"} 1.5e+06
slipway_predictions_created{model="a",outcome="ok",source="cache",version="1"} 1.7e+09
"""


def log_with(tmp_path: Path, *ids: str) -> PredictionLog:
    database = tmp_path / "slipway.db"
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE predictions (prediction_id TEXT)")
        connection.executemany("INSERT INTO predictions VALUES (?)", [(item,) for item in ids])
    connection.close()
    return PredictionLog(database=database)


def test_answers_of_model_and_cache_are_counted_together() -> None:
    assert count_answered(EXPOSITION) == 1_501_200


def test_a_database_that_nobody_made_yet_has_no_rows(tmp_path: Path) -> None:
    assert PredictionLog(database=tmp_path / "missing.db").rows() == 0


def test_an_id_that_is_there_twice_was_not_found_once(tmp_path: Path) -> None:
    log = log_with(tmp_path, "a", "b", "b", "c")
    assert log.rows() == 4
    assert log.found_once(["a", "b", "c", "d"]) == 2


def test_many_ids_are_asked_for_in_parts(tmp_path: Path) -> None:
    ids = [str(number) for number in range(1201)]
    assert log_with(tmp_path, *ids).found_once(ids) == 1201


def test_a_backlog_that_is_gone_is_not_waited_for(tmp_path: Path) -> None:
    assert log_with(tmp_path, "a").wait_until_shipped(at_least=1) == 0
