"""Requests that only name their entity: answered with looked-up features, refused by place, never by a database."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from modelkit.errors import EntityNotFound
from serving.http.app import Inner
from serving.http.exchange import Exchange, FrontLimits, Reply, send_reply
from serving.http.openapi import openapi_document
from serving.typed_answers import typed_answer
from tests.predictor_bench import ADA
from tests.shop import CATALOG, USERS, Shop, replace, view_of
from tests.upload_places import uploads_of


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path)
    yield made
    made.close()


def test_a_user_is_answered_with_the_names_that_clients_expect(shop: Shop) -> None:
    answer = shop.shopper({"user_id": "ada"})
    body = answer.json()
    assert answer.status_code == 200
    assert body["user_id"] == "ada"
    assert body["predicted_price"] == body["prediction"] == shop.right_answer([10.0, 2.0, 3.0])
    assert datetime.now(UTC) - datetime.fromisoformat(body["timestamp"]) < timedelta(minutes=1)
    assert body["prediction_id"] == answer.headers["x-prediction-id"]


def test_the_log_holds_the_whole_row(shop: Shop) -> None:
    shop.shopper({"user_id": "ada"})
    shop.shopper({"user_id": "bob"})
    assert shop.rows_logged() == [
        {"user_id": "ada", "spent": 10.0, "visits": 2, "days_between": 3.0},
        {"user_id": "bob", "spent": 20.0, "visits": 4, "days_between": None},
    ]


def test_an_unknown_user_is_not_found(shop: Shop) -> None:
    answer = shop.shopper({"user_id": "eve"})
    assert answer.status_code == 404
    assert answer.json()["code"] == "user-not-found"
    assert answer.json()["errors"] == [
        {"pointer": "/user_id", "detail": "Nothing is known about this entity"}
    ]
    assert "eve" not in answer.text
    assert shop.looked_up("habits", "unknown") == 1
    assert shop.logged() == []


def test_a_body_that_is_not_valid_is_refused_before_anybody_is_looked_up(shop: Shop) -> None:
    assert shop.shopper({"user_id": ""}).status_code == 400
    assert shop.shopper({"user_id": "ada", "spent": 1.0}).status_code == 400
    assert shop.looked_up("habits", "hit") == 0


def test_each_unknown_user_of_many_is_named_by_place(shop: Shop) -> None:
    users = [{"user_id": name} for name in ("ada", "eve", "bob", "mallory")]
    answer = shop.shopper({"instances": users})
    assert answer.status_code == 404
    assert [(error["pointer"], error["row"]) for error in answer.json()["errors"]] == [
        ("/instances/1/user_id", 1),
        ("/instances/3/user_id", 3),
    ]
    assert shop.logged() == []


def test_unknown_and_invalid_rows_are_skipped_where_the_caller_says_so(shop: Shop) -> None:
    instances = [{"user_id": "eve"}, {"user_id": "ada"}, {"user": 1}, {"user_id": "bob"}]
    answer = shop.shopper({"instances": instances, "on_error": "skip"})
    assert answer.status_code == 200
    predictions = answer.json()["predictions"]
    assert [row and row["user_id"] for row in predictions] == [None, "ada", None, "bob"]
    assert predictions[3]["predicted_price"] == shop.right_answer(USERS["bob"], "bob")
    assert [error["row"] for error in answer.json()["errors"]] == [0, 2, 2]


@pytest.mark.parametrize(
    ("model", "body"), [("shopper", {"user_id": "ada"}), ("stall", {"weight": 1.0, "place": "leeds"})]
)
def test_a_typed_api_gives_the_same_body_and_looks_nobody_up_twice(
    shop: Shop, model: str, body: dict[str, Any]
) -> None:
    behind_a_typed_api(shop, model)
    answers = [shop.predict(body, path).json() for path in (f"/predict/{model}", f"/predict_{model}")]
    changing = ("prediction_id", "cached", "timestamp")
    same, typed = [{k: v for k, v in answer.items() if k not in changing} for answer in answers]
    assert typed == same
    assert list(answers[1]) == list(answers[0])
    assert shop.looked_up(view_of(model).name, "hit") == 2
    assert len(shop.rows_logged()) == 2


def behind_a_typed_api(shop: Shop, model: str) -> None:
    """What BentoML does with a request that was passed on: reads it all, asks the method, writes its typed answer."""
    native, answer = shop.worker.native, typed_answer(CATALOG[model])

    async def app(scope: Any, receive: Any, send: Any) -> None:
        CATALOG[model].request.model_validate_json((await receive())["body"])
        body = answer(**await native.answer_checked()).model_dump_json().encode()
        await send_reply(send, Reply(200, body), [])

    check = partial(native.checked_row, name=model)
    shop.worker.front.pass_on(Inner(app, frozenset(), {f"/predict_{model}": check}))


def test_an_unknown_user_is_refused_before_a_typed_api_is_asked(shop: Shop) -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b'{"user_id": "eve"}'}

    limits = FrontLimits(max_in_flight=1, max_body_bytes=1_000, request_timeout_seconds=5)
    exchange = Exchange({}, receive, {}, "r-1", time.perf_counter(), limits, uploads_of(), principal=ADA)
    with pytest.raises(EntityNotFound):
        shop.runner.run(shop.worker.native.checked_row(exchange, "shopper"))


def test_where_every_row_is_unknown_nothing_is_answered(shop: Shop) -> None:
    answer = shop.shopper({"instances": [{"user_id": "eve"}], "on_error": "skip"})
    assert answer.status_code == 404


def test_a_model_may_have_a_path_of_its_own(shop: Shop) -> None:
    answer = shop.predict({"weight": 1.0, "place": "leeds"}, "/days_to")
    assert (answer.status_code, answer.json()["model"]) == (200, "stall")
    assert shop.predict({"weight": -1.0}, "/days_to").status_code == 400
    assert shop.ask("POST", "/days_to", json={"weight": 1.0}).status_code == 401
    described = shop.ask("GET", "/openapi.json").json()["paths"]["/days_to"]["post"]
    assert (described["operationId"], described["tags"]) == ("days_to", ["predictions"])


def test_a_body_with_a_user_finds_its_model_by_itself(shop: Shop) -> None:
    assert shop.predict({"user_id": "ada"}, "/predict").json()["model"] == "shopper"
    assert shop.predict({"weight": 1.0}, "/predict").json()["model"] == "stall"


def test_a_place_that_is_unknown_or_not_said_gets_the_row_of_all_places(shop: Shop) -> None:
    for body in ({"weight": 1.0}, {"weight": 1.0, "place": None}, {"weight": 1.0, "place": "mars"}):
        assert shop.predict(body, "/predict/stall").status_code == 200
    shop.predict({"weight": 1.0, "place": "leeds"}, "/predict/stall")
    assert [row["mean_days"] for row in shop.rows_logged()] == [9.0, 9.0, 9.0, 3.0]
    assert shop.looked_up("places", "default") == 3
    assert shop.looked_up("places", "hit") == 1


def test_the_cache_knows_a_user_by_features_and_not_by_name(shop: Shop) -> None:
    shop.shopper({"user_id": "ada"})
    assert shop.shopper({"user_id": "ada"}).headers["x-cache"] == "hit"
    shop.origin.put("habits", {"ada": [11.0, 2.0, 3.0]})
    replace(shop, rows=1)
    answer = shop.shopper({"user_id": "ada"})
    assert answer.headers["x-cache"] == "miss"
    assert answer.json()["prediction"] == shop.right_answer([11.0, 2.0, 3.0])
    assert shop.shopper({"user_id": "bob"}).status_code == 404


def test_the_api_description_asks_for_the_request_and_shows_the_whole_answer() -> None:
    document = openapi_document(list(CATALOG.values()))
    operation = document["paths"]["/predict/shopper"]["post"]
    assert list(document["components"]["schemas"]["ShopperRequest"]["properties"]) == ["user_id"]
    one, _ = operation["responses"]["200"]["content"]["application/json"]["schema"]["anyOf"]
    assert one == {"$ref": "#/components/schemas/ShopperAnswer"}
    one = document["components"]["schemas"]["ShopperAnswer"]
    assert {"user_id", "predicted_price", "timestamp"} <= set(one["required"])
    assert one["properties"]["user_id"]["type"] == "string"
