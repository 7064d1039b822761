"""Requests that only name their entity: answered with looked-up features, refused by place, never by a database."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest

from modelkit.definition import FeatureView, load_catalog
from modelkit.errors import EntityNotFound
from modelkit.view_rows import ViewRows
from serving.agent.features import FeatureSync
from serving.agent.metrics import AgentMetrics
from serving.feature_snapshot import SnapshotStore
from serving.http.app import Inner
from serving.http.exchange import Exchange, FrontLimits, Reply, send_reply
from serving.http.openapi import openapi_document
from serving.typed_answers import typed_answer
from tests.front_service import FrontService
from tests.prediction_records import figure
from tests.predictor_bench import ADA
from tests.redis_server import RedisServer
from tests.tiny_features import KeyedRows, MemoryOrigin, write_snapshot
from training.features.feature_set import feature_set
from training.features.feature_stores import feature_store

CATALOG = load_catalog("tests.view_catalog")
PATIENCE_SECONDS = 20.0


def view_of(model: str) -> FeatureView:
    view = CATALOG[model].view
    assert view is not None
    return view


HABITS, PLACES = view_of("shopper"), view_of("stall")
USERS: KeyedRows = {"ada": [10.0, 2.0, 3.0], "bob": [20.0, 4.0, float("nan")]}


class Shop(FrontService):
    """The service over the catalog of the tests, with a set of rows that may be replaced."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        store = folder / "store"
        write_snapshot(HABITS, store, USERS)
        write_snapshot(PLACES, store, {"leeds": [3.0], "*": [9.0]})
        super().__init__(folder, catalog="tests.view_catalog", features_url="unused", **settings)
        self.origin = MemoryOrigin({"habits": USERS})
        self.sync = FeatureSync(self.origin, SnapshotStore(store), {"habits": HABITS}, AgentMetrics())

    def shopper(self, body: Any) -> httpx.Response:
        return self.predict(body, "/predict/shopper")

    def rows_logged(self) -> list[dict[str, Any]]:
        return [json.loads(bytes(record.features)) for record in self.logged()]

    def looked_up(self, view: str, result: str, source: str = "snapshot") -> float:
        self.worker.metrics.fold()
        labels = {"view": view, "source": source, "result": result}
        return figure(self.registry, "slipway_feature_lookups_total", **labels)

    def right_answer(self, numbers: list[float], user: str = "ada") -> float:
        model = self.worker.board.current("shopper")
        values = {k: v for k, v in ViewRows(HABITS).values(numbers).items() if v is not None}
        (outcome,) = model.predict([model.rows.from_object({"user_id": user, **values})])
        assert isinstance(outcome.prediction, float)
        return outcome.prediction


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
    exchange = Exchange({}, receive, {}, "r-1", time.perf_counter(), limits, ADA)
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


def replace(shop: Shop, *, rows: int) -> None:
    shop.sync.step()
    until(shop, lambda: figure(shop.registry, "slipway_feature_snapshot_rows", view="habits") == rows)


def until(service: FrontService, fact: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not fact():
        assert time.monotonic() < give_up_at, "it does not come true"
        service.runner.run(asyncio.sleep(0.05))


def test_a_snapshot_that_is_replaced_under_load_costs_no_request_and_gives_no_mixture(shop: Shop) -> None:
    """Every answer is right for one of the sets, in a batch all rows for the same set, and the newest is reached."""
    batch = {"instances": [{"user_id": "ada"}] * 5}
    sets = [[10.0 + number, 2.0, 3.0] for number in range(8)]
    right = [shop.right_answer(numbers) for numbers in sets]
    headers, answers = shop.token(), []

    async def scenario() -> None:
        for numbers in sets:
            shop.origin.put("habits", {"ada": numbers})
            await asyncio.to_thread(shop.sync.step)
            until = time.monotonic() + 0.4
            while time.monotonic() < until:
                asked = [shop.client.post("/predict/shopper", json=batch, headers=headers) for _ in range(8)]
                answers.extend(await asyncio.gather(*asked))

    shop.runner.run(scenario())
    assert {answer.status_code for answer in answers} == {200}
    seen = [{row["prediction"] for row in answer.json()["predictions"]} for answer in answers]
    assert {len(each) for each in seen} == {1}
    assert set().union(*seen) <= set(right)
    assert seen[-1] == {right[-1]}
    assert len(set().union(*seen)) > 3, "the newest set is served within a second"


def test_a_service_without_features_says_what_it_waits_for_and_serves_when_they_come(tmp_path: Path) -> None:
    shop = Waiting(tmp_path)
    until(shop, lambda: "habits" in shop.ask("GET", "/readyz").json()["reasons"]["shopper"])
    assert shop.ask("GET", "/readyz").status_code == 503
    answer = shop.predict({"user_id": "ada"}, "/predict/shopper")
    assert (answer.status_code, answer.json()["code"]) == (503, "model-not-ready")
    write_snapshot(HABITS, tmp_path / "store", USERS)
    write_snapshot(PLACES, tmp_path / "store", {"leeds": [3.0], "*": [9.0]})
    until(shop, lambda: shop.ask("GET", "/readyz").status_code == 200)
    assert shop.predict({"user_id": "ada"}, "/predict/shopper").status_code == 200
    shop.close()


class Waiting(FrontService):
    """Started without anything to look up."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, catalog="tests.view_catalog", features_url="unused", patient=False)


def test_features_older_than_allowed_are_used_counted_and_reported(tmp_path: Path) -> None:
    shop = Shop(tmp_path, features_max_age_seconds=60.0)  # those of the tests were written in 1970
    assert shop.shopper({"user_id": "ada"}).status_code == 200
    assert shop.looked_up("habits", "stale") == 1
    assert figure(shop.registry, "slipway_feature_snapshot_stale", view="habits") == 1
    assert figure(shop.registry, "slipway_feature_snapshot_age_seconds", view="habits") > 1e9
    shop.close()


def test_redis_as_the_source_degrades_as_promised(tmp_path: Path, redis_server: RedisServer) -> None:
    put(redis_server.url, HABITS, USERS)
    put(redis_server.url, PLACES, {"leeds": [3.0], "*": [9.0]})
    shop = FrontService(
        tmp_path, catalog="tests.view_catalog", features_url=redis_server.url, redis_timeout_seconds=0.5
    )

    def ask(user: str) -> httpx.Response:
        return shop.predict({"user_id": user}, "/predict/shopper")

    assert [ask(user).status_code for user in ("ada", "eve")] == [200, 404]
    redis_server.stop()
    assert ask("ada").status_code == 200
    refused = ask("bob")
    assert (refused.status_code, refused.json()["code"]) == (503, "features-unavailable")
    assert refused.headers["retry-after"] == "1"
    assert shop.ask("GET", "/readyz").status_code == 200
    shop.worker.metrics.fold()
    for result, count in (("hit", 1), ("unknown", 1), ("stale", 1), ("unavailable", 1)):
        labels = {"view": "habits", "source": "redis", "result": result}
        assert figure(shop.registry, "slipway_feature_lookups_total", **labels) == count
    shop.close()


def put(url: str, view: FeatureView, rows: KeyedRows) -> None:
    names = list(view.row.model_fields)
    frame = pd.DataFrame([{view.key: key, **dict(zip(names, row, strict=True))} for key, row in rows.items()])
    feature_store(url).replace(feature_set(ViewRows(view), frame))


def test_the_api_description_asks_for_the_request_and_shows_the_whole_answer() -> None:
    document = openapi_document(list(CATALOG.values()))
    operation = document["paths"]["/predict/shopper"]["post"]
    assert list(document["components"]["schemas"]["ShopperRequest"]["properties"]) == ["user_id"]
    one, _ = operation["responses"]["200"]["content"]["application/json"]["schema"]["oneOf"]
    assert {"user_id", "predicted_price", "timestamp"} <= set(one["required"])
    assert one["properties"]["user_id"]["type"] == "string"
