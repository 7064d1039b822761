"""What every answer carries, what a scrape shows, probes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from serving.http.openapi import openapi_document
from serving.http.problems import problem_types
from tests.front_service import CATALOG, FLOWER, FrontService
from tests.problem_schema import problem


@pytest.mark.parametrize("given", ["a", "trace-1.2:3_4", "A" * 128])
def test_a_request_id_is_given_back(service: FrontService, given: str) -> None:
    for response in (
        service.predict(FLOWER, **{"x-request-id": given}),
        service.predict(b"{", **{"x-request-id": given}),
    ):
        assert response.headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "A" * 129, "a b", "<script>", "a\tb", "é", "a;b", "a/b", '"'])
def test_a_request_id_that_could_do_harm_is_replaced(service: FrontService, given: str) -> None:
    response = service.ask_raw("GET", "/livez", {"x-request-id": given})
    assert len(response.headers["x-request-id"]) == 26


def test_metrics_do_not_grow_with_what_callers_make_up(service: FrontService) -> None:
    def wander(start: int) -> None:
        for number in range(start, start + 25):
            for path in (
                f"/made-up-{number}",
                f"/predict/made-up-{number}",
                f"/models/{number}",
                f"/problems/{number}",
            ):
                service.ask_raw("GET", path)
                service.ask_raw(f"M{number}", path, service.token())
                service.ask_raw("POST", path, service.token(), b"{}")

    wander(0)
    service.series()  # which is a request too, counted from the next scrape on
    before = service.series()
    wander(100)
    assert service.series() == before
    assert not any("made-up" in line for line in before)


def test_figures_of_a_prediction_are_in_the_next_scrape(service: FrontService) -> None:
    service.predict({**FLOWER, "sepal_length": 3.3})
    text = service.ask("GET", "/metrics").text
    assert 'slipway_predictions_total{model="iris",outcome="ok",source="model"' in text
    assert 'slipway_http_requests_total{code="200",method="POST",route="/predict/{model}"}' in text


def test_a_draining_replica_is_not_ready_and_asks_connections_to_close(service: FrontService) -> None:
    assert service.ask("GET", "/readyz").json() == {"ready": True, "reasons": {}}
    service.settings.drain_file.touch()
    service.worker.drain.look()
    response = service.ask("GET", "/readyz")
    assert (response.status_code, response.json()["reasons"]) == (503, {"replica": "draining"})
    prediction = service.predict(FLOWER)
    assert (prediction.status_code, prediction.headers["connection"]) == (200, "close")
    service.settings.drain_file.unlink()
    service.worker.drain.look()
    assert "connection" not in service.predict(FLOWER).headers


def test_a_body_on_its_way_holds_no_place_of_others(tmp_path: Path) -> None:
    service = FrontService(tmp_path, max_in_flight=1)
    headers = service.token()

    async def scenario() -> tuple[httpx.Response, httpx.Response, httpx.Response]:
        gate = asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            await gate.wait()
            yield json.dumps(FLOWER).encode()

        first = asyncio.ensure_future(service.client.post("/predict/iris", content=slow(), headers=headers))
        await asyncio.sleep(0.05)
        other = await service.client.post("/predict/iris", json=FLOWER, headers=headers)
        probe = await service.client.get("/livez")
        gate.set()
        return await first, other, probe

    answers = service.runner.run(scenario())
    assert [each.status_code for each in answers] == [200, 200, 200]
    service.close()


def test_status_routes_say_what_is_served(service: FrontService) -> None:
    assert service.ask("GET", "/livez").json() == {"live": True}
    assert service.ask("GET", "/status").json()["status"] == "OK"
    health = service.ask("GET", "/health").json()
    assert health["status"] == "healthy"
    assert health["models"] == {name: {"loaded": True, "state": "ready"} for name in CATALOG}
    listed = service.ask("GET", "/models", headers=service.token()).json()["models"]
    assert [model["name"] for model in listed] == sorted(CATALOG)
    one = service.ask("GET", "/models/iris", headers=service.token()).json()
    assert (one["loaded"], one["card"]["metrics"]) == (one["desired"], {"overall.mae": 1.5})
    assert service.ask("GET", "/models/iris/history", headers=service.token()).json() == {
        "model": "iris",
        "events": [],
    }


def test_every_kind_of_problem_has_a_page_and_no_other_has(service: FrontService) -> None:
    for code, kind in problem_types().items():
        assert service.ask("GET", f"/problems/{code}").json()["status"] == kind.status
    problem(service.ask("GET", "/problems/boredom"), 401, "unauthenticated")


def test_the_documentation_page_loads_the_apis_description(service: FrontService) -> None:
    page = service.ask("GET", "/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "/openapi.json" in page.text
    assert service.ask("GET", "/openapi.json").json() == openapi_document(list(CATALOG.values()))
