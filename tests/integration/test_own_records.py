"""GET /predictions/{id}: the caller's own record, and for everybody else an id that does not exist."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from records.engine import open_engine
from records.logged_predictions import own_prediction
from records.prediction_log import insert_predictions
from serving.identifiers import Identifiers
from tests.front_service import CATALOG, DELIVERY, FLOWER, FrontService
from tests.prediction_records import made_record
from tests.problem_schema import problem

NEW_ID = Identifiers()


@pytest.fixture(scope="module")
def engine(service: FrontService) -> Any:
    opened = open_engine(service.settings.database_url.get_secret_value())
    yield opened
    opened.dispose()


def ship(service: FrontService, engine: Engine) -> None:
    """What the agent does."""
    with engine.begin() as connection:
        insert_predictions(connection, service.logged())


def read(service: FrontService, prediction_id: str, scopes: str = "read") -> httpx.Response:
    return service.ask_raw("GET", f"/predictions/{prediction_id}", service.token(scopes))


def without_request_id(response: httpx.Response) -> tuple[Any, ...]:
    request_id = response.headers["x-request-id"]
    own = ("x-request-id", "traceparent")
    headers = sorted((name, value) for name, value in response.headers.items() if name not in own)
    return response.status_code, headers, response.text.replace(request_id, "")


@pytest.mark.parametrize(("model", "row"), [("iris", FLOWER), ("food-delivery", DELIVERY)])
def test_a_caller_reads_their_own_prediction_as_it_was_answered(
    service: FrontService, engine: Engine, model: str, row: dict[str, Any]
) -> None:
    answered = service.predict(row, f"/predict/{model}", **{"x-request-id": f"own-{model}"}).json()
    ship(service, engine)
    response = read(service, answered["prediction_id"])
    assert (response.status_code, response.headers["cache-control"]) == (200, "no-store")
    body = response.json()
    for name in ("prediction", "prediction_id", "model", "model_version", "cached"):
        assert body[name] == answered[name]
    assert body.get("probabilities") == answered.get("probabilities")
    assert (body["request_id"], body["outcome"]) == (f"own-{model}", "ok")
    assert set(body["features"]) >= set(row)
    assert body["created_at"].endswith("+00:00")


def test_a_record_that_has_not_been_shipped_is_not_there_yet(service: FrontService) -> None:
    answered = service.predict({**FLOWER, "sepal_length": 4.21}).json()
    problem(read(service, answered["prediction_id"]), 404, "prediction-not-found")


@pytest.mark.parametrize(
    ("scopes", "status"),
    [
        *(("read", 200), ("predict", 200), ("predict:iris", 200), ("predict:iris predict:basket", 200)),
        *(("predict:housing", 404), ("predict:", 404), ("feedback", 403), ("admin", 403), ("", 403)),
    ],
)
def test_a_token_opens_no_more_records_than_its_scopes_say(
    service: FrontService, engine: Engine, scopes: str, status: int
) -> None:
    answered = service.predict(FLOWER).json()
    ship(service, engine)
    assert read(service, answered["prediction_id"], scopes).status_code == status


def test_somebody_elses_prediction_is_an_unknown_one(service: FrontService, engine: Engine) -> None:
    others = NEW_ID()
    with engine.begin() as connection:
        insert_predictions(connection, [made_record(others, subject="bob", model="iris")])
    unknown = read(service, NEW_ID())
    problem(unknown, 404, "prediction-not-found")
    assert without_request_id(read(service, others)) == without_request_id(unknown)


@pytest.mark.parametrize(
    "wrong",
    [
        *(
            "",
            "1",
            "p-1",
            "{id}",
            "*",
            "%",
            "_" * 26,
            "0" * 25,
            "0" * 27,
            "i" * 26,
            "0" * 25 + "\n",
            "0" * 5000,
        ),
        *(
            "' OR '1'='1",
            "1; DROP TABLE predictions",
            "\x00",
            "0" * 25 + "\x00",
            "\udcff",
            "\N{SNOWMAN}" * 26,
        ),
    ],
)
def test_a_malformed_id_is_an_unknown_one(service: FrontService, wrong: str) -> None:
    expected = without_request_id(read(service, NEW_ID()))
    assert without_request_id(read(service, wrong)) == expected


def test_an_id_that_only_differs_in_case_is_an_unknown_one(service: FrontService, engine: Engine) -> None:
    answered = service.predict(FLOWER).json()
    ship(service, engine)
    problem(read(service, answered["prediction_id"].lower()), 404, "prediction-not-found")


def test_without_the_database_nobody_is_told_anything(service: FrontService, tmp_path: Any) -> None:
    alone = FrontService(tmp_path, database_url=f"sqlite:///{tmp_path / 'none.db'}", patient=False)
    for prediction_id in (NEW_ID(), NEW_ID()):
        problem(read(alone, prediction_id), 503, "unavailable")
    alone.close()


def test_the_owner_is_part_of_the_question(database_url: str) -> None:
    mine, theirs = NEW_ID(), NEW_ID()
    opened = open_engine(database_url)
    records = [made_record(mine, subject="ada"), made_record(theirs, subject="corp:ada")]
    with opened.begin() as connection:
        insert_predictions(connection, records)
    found = own_prediction(opened, mine, subject="ada")
    assert found is not None
    assert found.features == {"distance_km": 5.25}
    assert own_prediction(opened, theirs, subject="ada") is None
    assert own_prediction(opened, mine, subject="corp:ada") is None
    assert own_prediction(opened, mine, subject="ADA") is None
    assert own_prediction(opened, mine, subject="ada", models=["iris"]) is None
    assert own_prediction(opened, mine, subject="ada", models=["iris", "food-delivery"]) == found
    opened.dispose()


def test_every_model_can_be_read_back(service: FrontService, engine: Engine) -> None:
    for name, definition in CATALOG.items():
        answered = service.predict(dict(definition.examples[0]), f"/predict/{name}").json()
        ship(service, engine)
        assert read(service, answered["prediction_id"], f"predict:{name}").json()["model"] == name
