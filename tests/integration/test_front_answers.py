"""Predictions over HTTP: answered as described, logged, cached, in batches, and by whichever model takes them."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import time
from pathlib import Path
from typing import Any

import pytest

from modelkit.errors import AmbiguousModel
from serving.http.exchange import Exchange, FrontLimits
from serving.http.native import NativeRoutes, answer_fields
from serving.http.request_rows import Limits
from serving.model_board import ModelBoard
from tests.front_service import CATALOG, DELIVERY, FLOWER, FrontService
from tests.problem_schema import faults, problem
from tests.upload_places import uploads_of


@pytest.mark.parametrize("name", CATALOG)
def test_every_example_is_answered_as_the_api_describes(service: FrontService, name: str) -> None:
    definition = CATALOG[name]
    described = answer_fields(definition)
    for example in definition.examples:
        response = service.predict(dict(example), f"/predict/{name}")
        assert response.status_code == 200
        assert (
            faults(response.json(), {"type": "object", "properties": described, "required": list(described)})
            == []
        )
        assert response.headers["x-prediction-id"] == response.json()["prediction_id"]
        assert response.headers["x-model-version"] == response.json()["model_version"]


def test_an_answer_is_logged_once_under_its_id_and_its_request(service: FrontService) -> None:
    response = service.predict(FLOWER, **{"x-request-id": "asked-once"})
    found = [
        record for record in service.logged() if record.prediction_id == response.json()["prediction_id"]
    ]
    assert [(record.request_id, record.subject, record.model) for record in found] == [
        ("asked-once", "ada", "iris")
    ]


def test_a_repeated_question_is_answered_from_the_cache(service: FrontService) -> None:
    row = {**FLOWER, "sepal_length": 7.25}
    first, second = service.predict(row), service.predict(row)
    assert (first.headers["x-cache"], second.headers["x-cache"]) == ("miss", "hit")
    assert (first.json()["cached"], second.json()["cached"]) == (False, True)
    assert first.json()["probabilities"] == second.json()["probabilities"]
    assert first.json()["prediction_id"] != second.json()["prediction_id"]


def test_a_batch_answers_every_row_in_its_place(service: FrontService) -> None:
    rows = [{**FLOWER, "sepal_length": 4 + number / 10} for number in range(20)]
    body = service.predict({"instances": rows}).json()
    alone = [service.predict(row).json()["probabilities"] for row in rows]
    assert [answer["probabilities"] for answer in body["predictions"]] == alone
    assert len({answer["prediction_id"] for answer in body["predictions"]}) == 20
    assert body["errors"] == []


def test_a_batch_that_skips_answers_null_for_its_bad_rows_and_says_why(service: FrontService) -> None:
    before = len(service.logged())
    rows = [FLOWER, {**FLOWER, "petal_width": -1}, {"sepal_length": 1.0}, FLOWER]
    response = service.predict({"instances": rows, "on_error": "skip"})
    body = response.json()
    assert response.status_code == 200
    assert [answer is None for answer in body["predictions"]] == [False, True, True, False]
    assert {error["row"] for error in body["errors"]} == {1, 2}
    assert body["errors"][0]["pointer"] == "/instances/1/petal_width"
    assert len(service.logged()) == before + 2


def test_without_a_model_in_the_path_the_only_one_that_takes_the_body_answers(service: FrontService) -> None:
    assert service.predict(FLOWER, "/predict").json()["model"] == "iris"
    assert service.predict(DELIVERY, "/predict").json()["model"] == "food-delivery"
    assert service.predict({"instances": [FLOWER]}, "/predict").json()["model"] == "iris"
    problem(service.predict({"neither": 1}, "/predict"), 400, "invalid-request")
    problem(service.predict(b"{", "/predict"), 400, "invalid-request")


def test_a_default_model_answers_for_every_body(tmp_path: Path) -> None:
    service = FrontService(tmp_path, default_model="iris")
    assert service.predict(FLOWER, "/predict").json()["model"] == "iris"
    problem(service.predict(DELIVERY, "/predict"), 400, "invalid-request")
    service.close()


def test_a_body_that_two_models_take_is_ambiguous(service: FrontService) -> None:
    iris = service.worker.board.current("iris")
    twins = {name: dataclasses.replace(iris.definition, name=name) for name in ("iris", "iris-two")}
    board = ModelBoard(twins, service.worker.metrics)
    for name, twin in twins.items():
        board.swap(name, dataclasses.replace(iris, definition=twin), desired="1")
    worker = service.worker
    routes = NativeRoutes(worker.inference, board, Limits(32, 10), default_model="")

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": json.dumps(FLOWER).encode()}

    limits = FrontLimits(max_in_flight=1, max_body_bytes=10_000, request_timeout_seconds=5)
    exchange = Exchange({}, receive, {}, "r-1", time.perf_counter(), limits, uploads_of())
    with pytest.raises(AmbiguousModel, match="iris, iris-two"):
        asyncio.run(routes.predict_any(exchange))
