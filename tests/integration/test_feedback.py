"""POST /feedback, over HTTP and a real database: counted, corrected, refused by place, and never acknowledged unwritten."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from records.engine import open_engine
from records.erasures import SUBJECT, Person, write_down
from records.migrate import upgrade
from records.prediction_log import insert_predictions
from records.tables import Feedback
from serving.identifiers import Identifiers
from tests.front_service import DELIVERY, FLOWER, FrontService
from tests.problem_schema import problem

NEW_ID = Identifiers()
NUMBER = 61.2
NO_TRUTHS: tuple[Any, ...] = (None, True, [], {}, "", "a\x00b", "x" * 201, 10**400, 1.7e308, -2e12)


@pytest.fixture(scope="module")
def engine(service: FrontService) -> Iterator[Engine]:
    opened = open_engine(service.settings.database_url.get_secret_value())
    yield opened
    opened.dispose()


def tell(service: FrontService, body: Any, *, of: str = "labels", scopes: str = "feedback") -> httpx.Response:
    return service.ask("POST", "/feedback", json=body, headers=service.token(scopes, of=of))


def many(*items: tuple[str, Any], **parts: Any) -> dict[str, Any]:
    return {"feedback": [{"prediction_id": name, "actual": actual} for name, actual in items], **parts}


def counts(response: httpx.Response) -> tuple[int, int, int]:
    assert response.status_code == 202, response.text
    body = response.json()
    return body["accepted"], body["repeated"], body["changed"]


def stored(engine: Engine, prediction_id: str) -> Feedback | None:
    with Session(engine) as session:
        return session.scalars(select(Feedback).where(Feedback.prediction_id == prediction_id)).one_or_none()


def answered(service: FrontService, engine: Engine, model: str) -> str:
    """The id of a prediction that has reached the database."""
    row = FLOWER if model == "iris" else DELIVERY
    said = service.predict(row, f"/predict/{model}").json()
    with engine.begin() as connection:
        insert_predictions(connection, service.logged())
    return str(said["prediction_id"])


def test_truth_is_told_once_repeated_and_corrected(service: FrontService, engine: Engine) -> None:
    name = NEW_ID()
    one = {"prediction_id": name, "actual": NUMBER}
    assert counts(tell(service, one)) == (1, 0, 0)
    assert counts(tell(service, one)) == (0, 1, 0)
    assert counts(tell(service, {**one, "actual": 7}, of="others")) == (0, 0, 1)
    row = stored(engine, name)
    assert row is not None
    assert (row.actual_value, row.actual, row.subject, row.changes) == (7.0, None, "others", 1)
    assert row.changed_at is not None
    assert row.changed_at >= row.created_at


def test_many_are_told_in_one_request_and_the_last_of_one_prediction_counts(
    service: FrontService, engine: Engine
) -> None:
    first, second, third = NEW_ID(), NEW_ID(), NEW_ID()
    body = many((first, 1), (second, "setosa"), (third, 3), (first, 1), (third, 4))
    assert counts(tell(service, body)) == (3, 1, 1)
    labelled, numbered = stored(engine, second), stored(engine, third)
    assert labelled is not None
    assert numbered is not None
    assert (labelled.actual, labelled.actual_value) == ("setosa", None)
    assert numbered.actual_value == 4.0


@pytest.mark.parametrize(
    ("model", "actual", "detail"),
    [
        ("iris", 1.5, "label"),
        ("iris", "tulip", "classes"),
        ("food-delivery", "late", "number"),
        ("food-delivery", 2e5, "between -100000 and 100000"),
    ],
)
def test_what_cannot_be_the_truth_of_a_known_prediction_is_refused(
    service: FrontService, engine: Engine, model: str, actual: Any, detail: str
) -> None:
    name = answered(service, engine, model)
    found = problem(tell(service, {"prediction_id": name, "actual": actual}), 400, "invalid-request")
    (error,) = found["errors"]
    assert error["pointer"] == "/actual"
    assert detail in error["detail"]
    assert stored(engine, name) is None


@pytest.mark.parametrize(("model", "actual"), [("iris", "virginica"), ("food-delivery", 31)])
def test_truth_is_shown_with_the_prediction_to_its_owner(
    service: FrontService, engine: Engine, model: str, actual: Any
) -> None:
    name = answered(service, engine, model)
    path = f"/predictions/{name}"
    assert service.ask("GET", path, headers=service.token("read")).json()["truth"] is None
    assert counts(tell(service, {"prediction_id": name, "actual": actual})) == (1, 0, 0)
    truth = service.ask("GET", path, headers=service.token("read")).json()["truth"]
    assert (truth["actual"], truth["changes"], truth["scored_at"]) == (actual, 0, None)


@pytest.mark.parametrize(
    ("item", "pointer"),
    [
        ({"actual": 1}, "/prediction_id"),
        ({"prediction_id": "x", "actual": 1}, "/prediction_id"),
        ({"prediction_id": 7, "actual": 1}, "/prediction_id"),
        ({"prediction_id": "0" * 26}, "/actual"),
        *(({"prediction_id": "0" * 26, "actual": actual}, "/actual") for actual in NO_TRUTHS),
        ({"prediction_id": "0" * 26, "actual": 1, "more": 1}, "/more"),
        ([], ""),
        (None, ""),
        (7, ""),
    ],
    ids=lambda value: repr(value)[:40] if isinstance(value, str) else None,
)
def test_an_item_that_is_wrong_is_refused_by_its_place(
    service: FrontService, item: Any, pointer: str
) -> None:
    alone = problem(tell(service, item), 400, "invalid-request")
    assert [error["pointer"] for error in alone["errors"]] == [pointer]
    good = {"prediction_id": NEW_ID(), "actual": 1}
    found = problem(tell(service, {"feedback": [good, item]}), 400, "invalid-request")
    assert [(error["pointer"], error["row"]) for error in found["errors"]] == [(f"/feedback/1{pointer}", 1)]
    skipped = tell(service, {"feedback": [good, item], "on_error": "skip"})
    assert counts(skipped) == (1, 0, 0)
    assert [error["pointer"] for error in skipped.json()["errors"]] == [f"/feedback/1{pointer}"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_what_is_no_finite_number_is_refused(service: FrontService, number: str) -> None:
    body = f'{{"prediction_id":"{NEW_ID()}","actual":{number}}}'.encode()
    headers = {**service.token("feedback"), "content-type": "application/json"}
    problem(service.ask("POST", "/feedback", content=body, headers=headers), 400, "invalid-request")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"feedback": []}, "/feedback"),
        ({"feedback": {}}, "/feedback"),
        ({"feedback": [], "on_error": "stop"}, "/on_error"),
        ({"feedback": [], "more": 1}, ""),
    ],
)
def test_an_envelope_that_is_wrong_is_refused(service: FrontService, body: Any, pointer: str) -> None:
    found = problem(tell(service, body), 400, "invalid-request")
    assert [error["pointer"] for error in found["errors"]] == [pointer]


def test_too_many_items_are_refused(service: FrontService) -> None:
    items = [(NEW_ID(), 1.0)] * (service.settings.max_instances + 1)
    problem(tell(service, many(*items)), 400, "invalid-request")


def test_one_that_is_wrong_costs_the_others_nothing_where_it_is_skipped(
    service: FrontService, engine: Engine
) -> None:
    flower, unknown = answered(service, engine, "iris"), NEW_ID()
    response = tell(service, many((flower, 3.0), (unknown, 3.0), on_error="skip"))
    assert counts(response) == (1, 0, 0)
    (error,) = response.json()["errors"]
    assert (error["pointer"], error["row"]) == ("/feedback/0/actual", 0)
    assert stored(engine, flower) is None
    problem(tell(service, many((flower, 3.0), on_error="skip")), 400, "invalid-request")


def test_a_label_may_be_called_feedback(service: FrontService) -> None:
    assert counts(tell(service, {"prediction_id": NEW_ID(), "actual": "feedback"})) == (1, 0, 0)


def test_who_was_erased_a_moment_ago_tells_nothing_under_their_name(
    service: FrontService, engine: Engine
) -> None:
    with engine.begin() as connection:
        person = Person(kind=SUBJECT, value="just-erased")
        number = write_down(connection, person, before=datetime.now(UTC) + timedelta(minutes=1))
    name = NEW_ID()
    assert counts(tell(service, {"prediction_id": name, "actual": 1}, of="just-erased")) == (1, 0, 0)
    row = stored(engine, name)
    assert row is not None
    assert row.subject == f"erased/{number}"


@pytest.mark.parametrize("scopes", ["read", "predict", "admin", ""])
def test_other_scopes_are_not_enough(service: FrontService, scopes: str) -> None:
    body = {"prediction_id": NEW_ID(), "actual": 1}
    problem(tell(service, body, scopes=scopes), 403, "insufficient-scope")


def test_without_the_database_nothing_is_acknowledged_and_predictions_go_on(tmp_path: Any) -> None:
    alone = FrontService(tmp_path, database_url="postgresql://nobody@127.0.0.1:9/none", models="iris")
    response = tell(alone, {"prediction_id": NEW_ID(), "actual": 1})
    found = problem(response, 503, "feedback-unavailable")
    assert "127.0.0.1" not in str(found)
    assert response.headers["retry-after"] == "1"
    assert alone.predict(FLOWER).status_code == 200
    alone.close()


def test_what_is_told_is_charged_to_its_own_limit(tmp_path: Path) -> None:
    limited = FrontService(tmp_path, models="iris", rate_limit_per_second=0.001, rate_limit_burst=5)
    upgrade(limited.settings.database_url.get_secret_value())
    try:
        told = tell(limited, many(*((NEW_ID(), 1.0) for _ in range(3))))
        assert (counts(told), told.headers["ratelimit-remaining"]) == ((3, 0, 0), "2")
        assert counts(tell(limited, many(*((NEW_ID(), 1.0) for _ in range(3))))) == (3, 0, 0)
        problem(tell(limited, many((NEW_ID(), 1.0))), 429, "rate-limited")
        assert limited.predict(FLOWER).status_code == 200, "predictions have buckets of their own"
    finally:
        limited.close()
