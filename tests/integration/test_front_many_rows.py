"""Requests of many rows over HTTP: what is wrong with one row, where it is, and what that does to the others."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pytest

from serving.loaded_model import LoadedModel
from serving.oip.raw import read_raw
from serving.outcome import Outcome
from tests.fakes.counted_turns import CountedTurns
from tests.front_service import CATALOG, FLOWER, FrontService
from tests.oip_tensors import json_inputs

POISON = 9.125
FIRST = 1.0


class FailsOnPoison(LoadedModel):
    """A version whose feature code has a bug."""

    def predict(self, rows: Sequence[msgspec.Struct]) -> list[Outcome]:
        if any(msgspec.structs.astuple(row)[0] == POISON for row in rows):
            raise ValueError("a row that this feature code cannot take")
        return super().predict(rows)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FrontService]:
    service = FrontService(tmp_path_factory.mktemp("service"), max_instances=600)
    slot = service.worker.board.slots["iris"]
    assert slot.current is not None
    members = {field.name: getattr(slot.current, field.name) for field in dataclasses.fields(slot.current)}
    slot.current = FailsOnPoison(**members)
    yield service
    service.close()


def flowers(count: int, **at: Any) -> list[dict[str, Any]]:
    rows = [{**FLOWER, "sepal_length": FIRST + place / 100} for place in range(count)]
    for place, row in at.items():
        rows[int(place.removeprefix("row"))] = row
    return rows


def body_of(rows: Sequence[Any], on_error: str = "fail") -> dict[str, Any]:
    return {"instances": rows, "on_error": on_error}


POISONED = {**FLOWER, "sepal_length": POISON}
WRONG = {**FLOWER, "petal_width": "wide", "a~b/c": 1}


@pytest.mark.parametrize("count", [3, 100, 600])
def test_a_row_that_fails_in_the_model_is_an_error_of_that_row_where_rows_are_skipped(
    service: FrontService, count: int
) -> None:
    answer = service.predict(body_of(flowers(count, row1=POISONED), "skip"))
    body = answer.json()
    assert answer.status_code == 200
    assert [place for place, each in enumerate(body["predictions"]) if each is None] == [1]
    assert len(body["predictions"]) == count
    detail = "The prediction could not be computed"
    assert body["errors"] == [{"pointer": "/instances/1", "detail": detail, "row": 1}]


@pytest.mark.parametrize("count", [3, 100])
def test_without_skipping_it_fails_the_request_which_says_where_and_logs_nothing(
    service: FrontService, count: int
) -> None:
    before = len(service.logged())
    answer = service.predict(body_of(flowers(count, row2=POISONED)))
    assert (answer.status_code, answer.json()["code"]) == (500, "prediction-failed")
    assert [(item["pointer"], item["row"]) for item in answer.json()["errors"]] == [("/instances/2", 2)]
    assert len(service.logged()) == before


@pytest.mark.parametrize("rows", [[POISONED], [POISONED, POISONED], [WRONG, POISONED]])
def test_where_no_row_is_left_the_request_fails_with_all_that_is_wrong(
    service: FrontService, rows: list[dict[str, Any]]
) -> None:
    answer = service.predict(body_of(rows, "skip"))
    assert answer.status_code == 500
    assert {item["row"] for item in answer.json()["errors"]} == set(range(len(rows)))


def test_rows_that_are_not_valid_and_rows_that_fail_are_told_in_order(service: FrontService) -> None:
    answer = service.predict(body_of(flowers(200, row0=WRONG, row3=POISONED, row150=WRONG), "skip"))
    assert [item["row"] for item in answer.json()["errors"]] == [0, 0, 3, 150, 150]
    pointers = {item["pointer"] for item in answer.json()["errors"]}
    assert "/instances/0/a~0b~1c" in pointers  # RFC 6901 escapes both
    assert sum(each is None for each in answer.json()["predictions"]) == 3


def test_where_nothing_is_wrong_there_are_no_errors(service: FrontService) -> None:
    for on_error in ("fail", "skip"):
        assert service.predict(body_of(flowers(50), on_error)).json()["errors"] == []


def test_a_large_request_is_answered_row_by_row_as_small_ones(service: FrontService) -> None:
    rows = flowers(600)
    predictions = service.predict(body_of(rows)).json()["predictions"]
    for place in (0, 31, 32, 599):
        alone = service.predict(rows[place]).json()
        varies = ("prediction_id", "cached")
        assert {name: value for name, value in predictions[place].items() if name not in varies} == {
            name: value for name, value in alone.items() if name not in varies
        }
    assert len({each["prediction_id"] for each in predictions}) == 600


def columns(rows: Sequence[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"inputs": json_inputs(CATALOG["iris"], rows), **more}


@pytest.mark.parametrize("parameters", [{}, {"binary_data_output": True}], ids=["JSON", "bytes"])
def test_a_large_request_of_tensors_is_read_and_written_in_turns_and_answered_as_natively(
    service: FrontService, parameters: dict[str, Any]
) -> None:
    rows = flowers(600)
    native = service.predict(body_of(rows)).json()["predictions"]
    turns = service.worker.predictor.turns = CountedTurns()
    answer = service.predict(columns(rows, parameters=parameters), "/v2/models/iris/infer")
    assert turns.slices > 6  # rows, then three outputs, each made and then written
    length = int(answer.headers.get("inference-header-content-length", len(answer.content)))
    prediction = json.loads(answer.content[:length])["outputs"][0]
    if parameters:
        raw = answer.content[length : length + prediction["parameters"]["binary_data_size"]]
        prediction["data"] = [each.decode() for each in read_raw("", "BYTES", (600,), raw).data]
    assert prediction["data"] == [each["prediction"] for each in native]


@pytest.mark.parametrize("rows", [[], flowers(601)], ids=["none", "too many"])
def test_there_are_bounds_to_the_number_of_rows(service: FrontService, rows: list[Any]) -> None:
    answer = service.predict(body_of(rows, "skip"))
    assert answer.status_code == 400
    assert [item["pointer"] for item in answer.json()["errors"]] == ["/instances"]


def test_a_refusal_of_many_wrong_rows_tells_a_thousand_errors(service: FrontService) -> None:
    answer = service.predict(body_of([{}] * 600))
    assert answer.status_code == 400
    assert len(answer.json()["errors"]) == 1000


def test_the_default_route_finds_the_model_of_a_large_request(service: FrontService) -> None:
    answer = service.predict(body_of(flowers(300)), path="/predict")
    assert answer.json()["model"] == "iris"


def test_nothing_is_computed_for_a_client_that_has_left(service: FrontService) -> None:
    before = len(service.logged())
    status = service.runner.run(
        _left(service, body_of([{**row, "petal_width": 0.7} for row in flowers(600)]))
    )
    assert status == 499
    assert len(service.logged()) == before


async def _left(service: FrontService, body: dict[str, Any]) -> int:
    content, sent = json.dumps(body).encode(), list[Any]()
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": content, "more_body": False},
        {"type": "http.disconnect"},
    ]

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0)
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    headers = {**service.token(), "content-type": "application/json"}
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/predict/iris",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
    }
    await service.worker.front(scope, receive, send)
    return int(sent[0]["status"])
