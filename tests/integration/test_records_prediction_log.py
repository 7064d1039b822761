"""The prediction log in SQL: every record once, exactly as it was said, whatever it says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from records.prediction_log import ROWS_PER_STATEMENT, insert_predictions
from records.prediction_record import NO_PREDICTION, PredictionRecord
from records.tables import Prediction
from records.users import add_user

FEATURES = {
    "distance_km": 5.25,
    "city": "Zürich",
    "festival": False,
    "age": None,
    "text": "'; DROP TABLE users; --",
}


def record(prediction_id: str = "p-1", **changes: Any) -> PredictionRecord:
    values: dict[str, Any] = {
        "prediction_id": prediction_id,
        "model": "food-delivery",
        "version": "7",
        "request_id": "r-1",
        "subject": "ada",
        "user_id": None,
        "features": msgspec.Raw(msgspec.json.encode(FEATURES)),
        "predicted_value": 23.5,
        "prediction": NO_PREDICTION,
        "outcome": "ok",
        "cached": False,
        "latency_ms": 1.25,
        "created_at": 1_800_000_000.123456,
    }
    return PredictionRecord(**{**values, **changes})


def insert(engine: Engine, *records: PredictionRecord) -> int:
    with engine.begin() as connection:
        return insert_predictions(connection, records)


def stored(engine: Engine, prediction_id: str = "p-1") -> Prediction:
    with Session(engine) as session:
        return session.scalars(select(Prediction).where(Prediction.prediction_id == prediction_id)).one()


def count(engine: Engine) -> int:
    with Session(engine) as session:
        return session.scalar(select(func.count(Prediction.id))) or 0


def test_a_record_comes_back_as_it_was_written(engine: Engine) -> None:
    assert insert(engine, record()) == 1
    row = stored(engine)
    assert (row.model, row.version, row.request_id, row.subject) == ("food-delivery", "7", "r-1", "ada")
    assert row.features == FEATURES
    assert (row.predicted_value, row.prediction, row.user_id) == (23.5, None, None)
    assert (row.outcome, row.cached, row.latency_ms) == ("ok", False, 1.25)
    assert row.created_at == datetime(2027, 1, 15, 8, 0, 0, 123456, tzinfo=UTC)


def test_predicted_minutes_is_another_name_of_the_predicted_value(engine: Engine) -> None:
    insert(engine, record("p-1", predicted_value=23.5), record("p-2", predicted_value=41.0))
    with Session(engine) as session:
        found = session.scalars(select(Prediction).where(Prediction.predicted_minutes > 40)).one()
    assert (found.prediction_id, found.predicted_minutes) == ("p-2", 41.0)


def test_a_classifier_is_kept_with_its_label_and_probabilities(engine: Engine) -> None:
    said = {"label": "setosa", "probabilities": {"setosa": 0.975, "virginica": 0.025}}
    insert(
        engine, record(predicted_value=None, prediction=msgspec.Raw(msgspec.json.encode(said)), cached=True)
    )
    row = stored(engine)
    assert (row.predicted_value, row.prediction, row.cached) == (None, said, True)


def test_a_regressor_has_no_prediction_document_at_all(engine: Engine) -> None:
    insert(engine, record())
    with engine.connect() as connection:
        absent = "SELECT count(*) FROM predictions WHERE prediction IS NULL"
        assert connection.exec_driver_sql(absent).scalar() == 1


def test_a_nul_from_one_caller_does_not_hold_up_the_others(engine: Engine) -> None:
    assert insert(engine, record("p-1", request_id="a\x00b", subject="\x00"), record("p-2")) == 2


def test_a_record_that_is_there_is_left_alone_and_not_counted(engine: Engine) -> None:
    assert insert(engine, record("p-1"), record("p-2")) == 2
    assert insert(engine, record("p-2", version="8"), record("p-3")) == 1
    assert count(engine) == 3
    assert stored(engine, "p-2").version == "7"


def test_a_record_twice_in_one_batch_is_one_row(engine: Engine) -> None:
    assert insert(engine, record("p-1"), record("p-1"), record("p-2")) == 2
    assert count(engine) == 2


def test_a_batch_larger_than_a_statement_is_whole(engine: Engine) -> None:
    batch = [record(f"p-{number}") for number in range(2 * ROWS_PER_STATEMENT + 1)]
    assert insert(engine, *batch) == len(batch)
    assert insert(engine, *batch) == 0
    assert count(engine) == len(batch)


def test_an_empty_batch_is_no_work(engine: Engine) -> None:
    assert insert(engine) == 0


def test_nothing_is_there_before_the_caller_commits(engine: Engine) -> None:
    with engine.connect() as connection:
        insert_predictions(connection, [record()])
        connection.rollback()
    assert count(engine) == 0


def test_the_user_is_named_where_the_database_knows_them(engine: Engine) -> None:
    user = add_user(engine, username="ada", password_hash="hash", scopes="predict")
    insert(engine, record("p-1", user_id=user.id), record("p-2", user_id=user.id + 1), record("p-3"))
    assert [stored(engine, name).user_id for name in ("p-1", "p-2", "p-3")] == [user.id, None, None]


@pytest.mark.parametrize(
    "document",
    [
        '{"text":"a\\u0000b"}',
        '{"text":"\U0001f680 \u2028 \\" \\\\ % %s :name ?"}',
        '{"big":9007199254740993,"small":5e-324,"long":0.1234567890123456789}',
        "[]",
        "{}",
        "7",
        '"text"',
        "[[1,2],[3,4]]",
    ],
)
def test_any_json_document_is_kept_as_it_is(engine: Engine, document: str) -> None:
    insert(engine, record("p-0"), record("p-1", features=msgspec.Raw(document.encode())), record("p-2"))
    assert count(engine) == 3
    assert stored(engine).features == msgspec.json.decode(document)


@pytest.mark.parametrize("text", ["%s", "?", ":x", "'", '"', "\\", "Åda \U0001f680", "{}", "", "x" * 5000])
def test_any_text_is_kept_as_it_is(engine: Engine, text: str) -> None:
    insert(engine, record(subject=text, request_id=text, outcome=text))
    row = stored(engine)
    assert (row.subject, row.request_id, row.outcome) == (text, text, text)


@pytest.mark.parametrize("moment", [0.0, 1.5, 1_799_999_999.999999, 4_102_444_800.000001])
def test_the_time_is_kept_to_the_microsecond(engine: Engine, moment: float) -> None:
    insert(engine, record(created_at=moment))
    assert stored(engine).created_at == datetime.fromtimestamp(moment, UTC)


@pytest.mark.parametrize("value", [0.1 + 0.2, 1e-300, -1.7976931348623157e308, 5e-324, 0.0])
def test_the_value_is_kept_to_the_last_bit(engine: Engine, value: float) -> None:
    insert(engine, record(predicted_value=value))
    assert stored(engine).predicted_value == value
