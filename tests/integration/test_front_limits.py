"""A caller's limit over HTTP: every route that predicts charges it, and every answer there tells what is left of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from serving.http.app import Inner
from tests.front_service import FLOWER, FrontService
from tests.prediction_records import figure
from tests.problem_schema import problem
from tests.redis_server import RedisServer

PATIENCE_SECONDS = 20.0
TOLD = ("ratelimit", "ratelimit-policy", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset")
NOTHING_FLOWS_IN: dict[str, Any] = {"rate_limit_per_second": 0.001, "rate_limit_burst": 10}


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[FrontService]:
    made = FrontService(tmp_path, models="iris,food-delivery", **NOTHING_FLOWS_IN)
    yield made
    made.close()


def rows(count: int, **more: Any) -> dict[str, Any]:
    return {"instances": [FLOWER] * count, **more}


def remaining(answer: Any) -> int:
    return int(answer.headers["ratelimit-remaining"])


def test_answers_tell_the_limit_and_the_rest_of_it(limited: FrontService) -> None:
    answer = limited.predict(FLOWER)
    assert answer.status_code == 200
    assert {name: answer.headers[name] for name in TOLD} == {
        "ratelimit": '"iris";r=9;t=1000',
        "ratelimit-policy": '"iris";q=10;w=10000',
        "ratelimit-limit": "10",
        "ratelimit-remaining": "9",
        "ratelimit-reset": "1000",
    }


def test_beyond_the_limit_a_caller_is_told_to_wait_which_is_not_what_an_overloaded_service_says(
    limited: FrontService,
) -> None:
    limited.predict(rows(10))
    refused = limited.predict(FLOWER)
    said = problem(refused, 429, "rate-limited")
    assert "0.001 rows a second" in said["detail"]
    assert refused.headers["retry-after"] == refused.headers["ratelimit-reset"] == "1000"
    assert refused.headers["ratelimit"] == '"iris";r=0;t=1000'
    limited.worker.metrics.fold()
    assert figure(limited.registry, "slipway_rate_limited_total", model="iris") == 1
    assert figure(limited.registry, "slipway_shed_total", reason="in_flight") == 0


def test_every_row_of_a_request_is_charged_even_what_is_wrong_with_it(limited: FrontService) -> None:
    assert remaining(limited.predict(rows(3))) == 7
    assert remaining(limited.predict({"instances": [FLOWER, {}], "on_error": "skip"})) == 5
    assert limited.predict({}).status_code == 400
    assert remaining(limited.predict(FLOWER)) == 3


def test_a_large_request_is_answered_and_paid_for_afterwards(limited: FrontService) -> None:
    answer = limited.predict(rows(40))
    assert (answer.status_code, remaining(answer)) == (200, 0)
    assert limited.predict(FLOWER).headers["retry-after"] == "31000"


@pytest.mark.parametrize("path", ["/predict/iris", "/predict"])
def test_all_ways_to_a_model_share_its_bucket(limited: FrontService, path: str) -> None:
    limited.predict(rows(9))
    assert limited.predict(FLOWER, path).status_code == 200
    problem(limited.predict(FLOWER, path), 429, "rate-limited")


def test_a_path_of_a_models_own_is_charged_too(tmp_path: Path) -> None:
    service = FrontService(tmp_path, **NOTHING_FLOWS_IN)
    (definition,) = [each for each in service.worker.definitions.values() if each.path][:1]
    body = {"instances": [dict(definition.examples[0])] * 10}
    assert service.predict(body, definition.path or "").status_code == 200
    problem(service.predict(body, f"/predict/{definition.name}"), 429, "rate-limited")
    service.close()


def test_a_typed_api_is_charged_and_tells_so(limited: FrontService) -> None:
    async def typed(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    check = partial(limited.worker.native.checked_row, name="iris")
    limited.worker.front.pass_on(Inner(typed, frozenset(), {"/predict_iris": check}))
    limited.predict(rows(8))
    answer = limited.predict(FLOWER, "/predict_iris")
    assert (answer.status_code, remaining(answer)) == (200, 1)
    limited.predict(FLOWER, "/predict_iris")
    problem(limited.predict(FLOWER, "/predict_iris"), 429, "rate-limited")


def test_other_models_other_callers_and_other_routes_are_not_affected(limited: FrontService) -> None:
    limited.predict(rows(10))
    assert limited.predict(FLOWER).status_code == 429
    assert limited.ask("GET", "/models", headers=limited.token()).status_code == 200
    (example,) = limited.worker.definitions["food-delivery"].examples[:1]
    assert limited.predict(dict(example), "/predict/food-delivery").status_code == 200


def test_a_caller_who_may_not_predict_is_told_so_whatever_is_left(limited: FrontService) -> None:
    limited.predict(rows(10))
    answer = limited.ask("POST", "/predict/iris", json=FLOWER, headers=limited.token("read"))
    problem(answer, 403, "insufficient-scope")


def test_where_no_limit_holds_nothing_is_told(service: FrontService) -> None:
    answer = service.predict(FLOWER)
    assert answer.status_code == 200
    assert not any(name.startswith("ratelimit") for name in answer.headers)


def test_a_rule_of_the_policy_file_holds_as_soon_as_it_is_written(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text("")
    service = FrontService(tmp_path, models="iris", auth_policy_file=policy)
    assert "ratelimit" not in service.predict(FLOWER).headers
    rule = '[[limits]]\nsubject = "ada"\nmodel = "iris"\nper_second = 0.001\nburst = {}\n'
    policy.write_text(rule.format(3))
    until(service, lambda answer: answer.headers.get("ratelimit-limit") == "3")
    until(service, lambda answer: answer.status_code == 429)
    policy.write_text('[[limits]]\nsubject = "bob"\nper_second = 1\n')
    until(service, lambda answer: answer.status_code == 200)
    assert "ratelimit" not in service.predict(FLOWER).headers
    service.close()


def until(service: FrontService, reached: Any) -> None:
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not reached(service.predict(FLOWER)):
        assert time.monotonic() < give_up_at
        service.runner.run(asyncio.sleep(0.1))


def test_two_services_share_a_limit_over_redis_and_give_back_what_they_hold(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    settings: dict[str, Any] = {
        "redis_url": redis_server.url,
        "redis_timeout_seconds": 1.0,
        "models": "iris",
        "rate_limit_per_second": 50,
        "rate_limit_burst": 100,
    }
    services = [FrontService(tmp_path / name, **settings) for name in ("one", "two")]
    since, admitted = time.monotonic(), 0
    while admitted < 60:
        for service in services:
            admitted += service.predict(rows(1)).status_code == 200
    # Buckets of a new Redis start empty: what was admitted has flowed in since, or was credit.
    assert admitted <= 0.1 * 100 + 50 * (time.monotonic() - since)
    for service in services:
        service.worker.metrics.fold()
        assert figure(service.registry, "slipway_rate_leases_total", result="ok")
        service.close()
