"""Explanations over HTTP: they add up to what /predict says, come from a process of their own, and cost no prediction."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from modelkit.explanation import By
from serving.model_store import ModelStore, Pointer
from tests.front_service import CATALOG, FLOWER, FrontService
from tests.problem_schema import problem
from tests.tiny_servables import write_tiny

DELIVERY = dict(CATALOG["food-delivery"].examples[0])


@pytest.fixture(scope="module")
def explaining(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FrontService]:
    service = FrontService(tmp_path_factory.mktemp("explaining"), request_timeout_seconds=60)
    yield service
    service.close()


def explain(service: FrontService, body: Any, name: str = "iris", query: str = "") -> httpx.Response:
    return service.predict(body, f"/explain/{name}{query}")


def adds_up(found: dict[str, Any]) -> bool:
    total = found["base_value"] + sum(found["contributions"].values())
    return abs(total - found["value"]) <= 1e-6 * max(1.0, abs(found["value"]))


@pytest.mark.parametrize("by", list(By), ids=str)
@pytest.mark.parametrize("name", CATALOG)
def test_contributions_add_up_to_what_predict_says(explaining: FrontService, name: str, by: By) -> None:
    example = dict(CATALOG[name].examples[0])
    response = explain(explaining, example, name, f"?by={by.value}")
    assert response.status_code == 200
    found, said = response.json(), explaining.predict(example, f"/predict/{name}").json()
    assert found["prediction"] == said["prediction"]
    assert found["value"] == said.get("probabilities", {}).get(said["prediction"], said["prediction"])
    assert found["model_version"] == said["model_version"]
    assert adds_up(found)
    definition = CATALOG[name]
    names = definition.row.model_fields if by is By.FIELDS else definition.feature_columns
    assert set(found["contributions"]) == set(names)


def test_the_background_and_the_method_are_stated(explaining: FrontService) -> None:
    found = explain(explaining, FLOWER).json()
    assert found["background"] == {"rows": len(CATALOG["iris"].examples), "source": "golden"}
    assert (found["method"], found["standard_error"], found["by"]) == ("exact", None, "fields")


def test_a_second_ask_is_answered_from_the_cache(explaining: FrontService) -> None:
    row = {**FLOWER, "sepal_length": 6.75}
    first, second = explain(explaining, row), explain(explaining, row)
    assert (first.headers["x-cache"], second.headers["x-cache"]) == ("miss", "hit")
    assert (first.json()["cached"], second.json()["cached"]) == (False, True)
    assert first.json()["contributions"] == second.json()["contributions"]


def test_fields_and_features_are_two_questions(explaining: FrontService) -> None:
    row = {**FLOWER, "sepal_length": 6.85}
    explain(explaining, row)
    assert explain(explaining, row, query="?by=features").json()["cached"] is False


def test_an_explanation_is_no_prediction_in_the_log(explaining: FrontService) -> None:
    before = len(explaining.logged())
    explain(explaining, {**FLOWER, "sepal_length": 6.95})
    assert len(explaining.logged()) == before


def test_rows_come_back_in_their_places(explaining: FrontService) -> None:
    bad = {**FLOWER, "sepal_length": -1}
    body = {"instances": [FLOWER, bad, {**FLOWER, "petal_width": 1.5}], "on_error": "skip"}
    found = explain(explaining, body).json()
    assert [each is not None for each in found["explanations"]] == [True, False, True]
    assert [error["row"] for error in found["errors"]] == [1]
    assert all(adds_up(each) for each in found["explanations"] if each)


def test_more_rows_than_allowed_are_refused(explaining: FrontService) -> None:
    rows = [FLOWER] * (explaining.settings.explain_max_rows + 1)
    problem(explain(explaining, {"instances": rows}), 400, "invalid-request")


@pytest.mark.parametrize("query", ["?by=colour", "?by=fields&by=fields", "?of=fields", "?by", "?%00"])
def test_another_query_is_refused(explaining: FrontService, query: str) -> None:
    problem(explain(explaining, FLOWER, query=query), 400, "invalid-request")


def test_the_scope_of_the_model_is_needed(explaining: FrontService) -> None:
    headers = explaining.token("predict:housing")
    refused = explaining.ask("POST", "/explain/iris", json=FLOWER, headers=headers)
    problem(refused, 403, "insufficient-scope")
    headers = explaining.token("predict:iris")
    assert explaining.ask("POST", "/explain/iris", json=FLOWER, headers=headers).status_code == 200


def test_an_unknown_model_is_not_found(explaining: FrontService) -> None:
    problem(explain(explaining, FLOWER, "made-up"), 404, "model-not-found")


def test_those_who_ask_the_same_at_once_share_one_explanation(explaining: FrontService) -> None:
    row = {**FLOWER, "sepal_length": 5.55}
    headers = explaining.token()

    async def ask_twice() -> list[httpx.Response]:
        asked = (explaining.client.post("/explain/iris", json=row, headers=headers) for _ in range(2))
        return list(await asyncio.gather(*asked))

    found = [response.json() for response in explaining.runner.run(ask_twice())]
    assert sorted(each["cached"] for each in found) == [False, True]
    assert 'slipway_explanations_total{model="iris",result="joined"}' in explaining.series()


def test_a_killed_explainer_is_started_again(explaining: FrontService) -> None:
    explain(explaining, {**FLOWER, "sepal_length": 5.01})
    assert explaining.worker.explanations is not None
    before = explaining.worker.explanations.explainer_pid
    assert before is not None
    os.kill(before, signal.SIGKILL)
    refused = explain(explaining, {**FLOWER, "sepal_length": 5.02})
    problem(refused, 503, "explainer-unavailable")
    assert refused.headers["retry-after"] == "1"
    assert explaining.ask("GET", "/readyz").status_code == 200
    assert explaining.predict(FLOWER).status_code == 200
    assert adds_up(explain(explaining, {**FLOWER, "sepal_length": 5.02}).json())
    assert explaining.worker.explanations.explainer_pid not in (before, None)


def test_a_full_queue_refuses_a_request_as_a_whole_at_once(tmp_path: Path) -> None:
    service = FrontService(tmp_path, explain_queue=4, request_timeout_seconds=60)
    ada, bob = service.token(of="ada"), service.token(of="bob")

    def asked(first: int, headers: dict[str, str]) -> Any:
        rows = [{**FLOWER, "sepal_length": 5 + (first + place) / 100} for place in range(4)]
        return service.client.post("/explain/iris", json={"instances": rows}, headers=headers)

    async def both() -> list[Any]:
        return list(await asyncio.gather(asked(0, ada), asked(10, bob)))

    try:
        answered = service.runner.run(both())
        assert sorted(each.status_code for each in answered) == [200, 503]
        problem(max(answered, key=lambda each: each.status_code), 503, "overloaded")
        computed = 'slipway_explanations_total{model="iris",result="computed"} 4.0'
        assert computed in service.ask("GET", "/metrics").text
    finally:
        service.close()


def test_a_request_of_more_rows_than_may_wait_is_answered_where_nobody_else_asks(tmp_path: Path) -> None:
    service = FrontService(tmp_path, explain_queue=1, request_timeout_seconds=60)
    try:
        rows = [{**FLOWER, "sepal_length": 5 + place / 100} for place in range(4)]
        assert explain(service, {"instances": rows}).status_code == 200
    finally:
        service.close()


def test_a_deadline_that_passes_is_a_504_and_the_explainer_goes_on(tmp_path: Path) -> None:
    service = FrontService(tmp_path, request_timeout_seconds=0.001)
    try:
        problem(explain(service, FLOWER), 504, "deadline-exceeded")
    finally:
        service.close()


def test_nothing_of_it_is_there_where_it_is_switched_off(tmp_path: Path) -> None:
    service = FrontService(tmp_path, explain_enabled=False)
    try:
        problem(explain(service, FLOWER), 404, "not-found")
        assert service.worker.explanations is None
    finally:
        service.close()


def test_no_explainer_runs_before_it_is_asked_or_after_the_worker_stopped(tmp_path: Path) -> None:
    service = FrontService(tmp_path, request_timeout_seconds=60)
    assert service.worker.explanations is not None
    assert service.worker.explanations.explainer_pid is None
    explain(service, FLOWER)
    pid = service.worker.explanations.explainer_pid
    service.close()
    assert pid is not None
    assert not Path(f"/proc/{pid}").exists()


def test_a_version_that_changes_meanwhile_explains_what_it_was_asked(tmp_path: Path) -> None:
    """Follow mode: the alias moves while the first version's explanation is being computed."""
    iris = CATALOG["iris"]
    store = ModelStore(tmp_path / "store", "production")
    digests = {
        version: write_tiny(iris, store.version_folder("iris", version), bias=float(version))
        for version in ("1", "2")
    }

    def point_at(version: str) -> None:
        store.write_pointer("iris", Pointer(version=version, digest=digests[version], desired=version))

    point_at("1")
    service = FrontService(tmp_path, models="iris", model_source="follow", request_timeout_seconds=60)
    headers = service.token()

    async def ask_while_it_moves() -> list[dict[str, Any]]:
        asked = asyncio.create_task(service.client.post("/explain/iris", json=FLOWER, headers=headers))
        await asyncio.sleep(0)
        point_at("2")
        while service.worker.board.current("iris").version != "2":
            await asyncio.sleep(0.01)
        later = await service.client.post("/explain/iris", json=FLOWER, headers=headers)
        return [(await asked).json(), later.json()]

    try:
        first, second = service.runner.run(ask_while_it_moves())
        assert (first["model_version"], second["model_version"]) == ("1", "2")
        assert first["value"] != second["value"]
        assert adds_up(first)
        assert adds_up(second)
    finally:
        service.close()


def test_a_version_whose_folder_is_gone_answers_and_explains_nothing(tmp_path: Path) -> None:
    service = FrontService(tmp_path, models="iris", request_timeout_seconds=60)
    try:
        shutil.rmtree(tmp_path / "baked" / "iris")
        problem(explain(service, FLOWER), 503, "explainer-unavailable")
        assert service.predict(FLOWER).status_code == 200
    finally:
        service.close()


def test_what_one_replica_explained_another_finds_in_redis(tmp_path: Path, redis_url: str) -> None:
    services = [
        FrontService(tmp_path / name, models="iris", redis_url=redis_url, request_timeout_seconds=60)
        for name in ("first", "second")
    ]
    try:
        row = {**FLOWER, "sepal_length": 4.75}
        first = explain(services[0], row).json()
        deadline = time.monotonic() + 10
        while services[0].worker.cache is not None and services[0].worker.cache._writes:
            assert time.monotonic() < deadline
            services[0].runner.run(asyncio.sleep(0.01))
        second = explain(services[1], row).json()
        assert (first["cached"], second["cached"]) == (False, True)
        assert first["contributions"] == second["contributions"]
        assert services[1].worker.explanations is not None
        assert services[1].worker.explanations.explainer_pid is None
    finally:
        for service in services:
            service.close()
