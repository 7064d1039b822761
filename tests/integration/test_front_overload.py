"""Overload over HTTP: what is refused at the door, how it is said, who goes first, and what nobody waits for any more."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from serving.overload.control import FAIR_SHARE, IN_FLIGHT, LIMIT
from tests.front_service import FLOWER, FrontService
from tests.prediction_records import figure
from tests.problem_schema import problem


@pytest.fixture
def service(tmp_path: Path) -> Iterator[FrontService]:
    made = FrontService(tmp_path, models="iris")
    yield made
    made.close()


def filled(service: FrontService, *, beyond: int = 0) -> dict[str, str]:
    """As if so many predictions were being computed; the token of a caller who is known."""
    token = service.token()
    asked(service, token)
    overload = service.worker.overload
    overload.in_progress = overload.limit + beyond
    return token


def asked(service: FrontService, token: dict[str, str], **headers: str) -> httpx.Response:
    return service.ask("POST", "/predict/iris", headers={**token, **headers}, json=FLOWER)


def shed(service: FrontService, reason: str) -> float:
    service.worker.metrics.fold()
    return figure(service.registry, "slipway_shed_total", reason=reason)


def refused(answer: httpx.Response) -> dict[str, Any]:
    said = problem(answer, 503, "overloaded")
    milliseconds = int(answer.headers["retry-after-ms"])
    assert 500 <= milliseconds <= 20_000
    assert int(answer.headers["retry-after"]) == -(-milliseconds // 1000)
    return said


def test_beyond_the_limit_a_prediction_is_refused_and_told_when_to_come_back(service: FrontService) -> None:
    token = filled(service)
    said = refused(asked(service, token, **{"x-request-id": "mine"}))
    assert said["request_id"] == "mine"
    assert said["instance"] == "urn:slipway:request:mine"
    assert shed(service, LIMIT) == 1


def test_the_prepared_refusal_has_what_any_problem_has(service: FrontService) -> None:
    prepared = refused(asked(service, filled(service)))
    assert prepared["title"] == "The service is at its limit"
    assert prepared["errors"] == []
    assert prepared["error"] == prepared["detail"]


def test_those_refused_together_do_not_come_back_together(service: FrontService) -> None:
    token = filled(service)
    waits = {asked(service, token).headers["retry-after-ms"] for _ in range(20)}
    assert len(waits) > 10


@pytest.mark.parametrize(
    "path", ["/livez", "/readyz", "/healthz", "/metrics", "/docs", "/.well-known/jwks.json"]
)
def test_probes_scrapes_and_open_pages_do_not_meet_the_limit(service: FrontService, path: str) -> None:
    filled(service, beyond=1000)
    assert service.ask("GET", path).status_code == 200


def test_neither_do_routes_that_compute_nothing(service: FrontService) -> None:
    filled(service, beyond=1000)
    assert service.ask("GET", "/models", headers=service.token()).status_code == 200


def test_who_has_had_less_than_his_share_gets_a_place_beyond_the_limit(service: FrontService) -> None:
    large, small = filled(service), service.token(of="grace")
    assert asked(service, small).status_code == 200  # a stranger, and now known
    overload = service.worker.overload
    overload.in_progress = 0
    for _ in range(10):
        assert asked(service, large).status_code == 200
    assert asked(service, small).status_code == 200
    overload.in_progress = overload.limit
    refused(asked(service, large))
    assert shed(service, FAIR_SHARE) == 1
    assert asked(service, small).status_code == 200


def test_of_strangers_a_few_get_in_so_that_they_become_known(service: FrontService) -> None:
    filled(service)
    answers = [asked(service, service.token(of=f"stranger-{number}")) for number in range(30)]
    admitted = [answer.status_code for answer in answers].count(200)
    assert 1 <= admitted < 30


def test_beyond_those_places_nobody_gets_in(service: FrontService) -> None:
    filled(service, beyond=1000)
    answer = service.ask("POST", "/predict/iris", headers=service.token(of="grace"), json=FLOWER)
    refused(answer)


def test_a_refusal_says_nothing_of_the_token(service: FrontService) -> None:
    """It comes before anybody is asked who he is."""
    filled(service, beyond=1000)
    refused(service.ask("POST", "/predict/iris", headers={"authorization": "Bearer x"}, json=FLOWER))


def test_the_cap_of_everything_in_progress_holds_for_open_pages_too(tmp_path: Path) -> None:
    service = FrontService(tmp_path, models="iris", max_in_flight=3)
    service.worker.metrics.in_flight = 3
    refused(service.ask("GET", "/docs"))
    assert shed(service, IN_FLIGHT) == 1
    assert service.ask("GET", "/livez").status_code == 200
    service.close()


def test_without_the_adaptive_limit_the_cap_is_the_limit(tmp_path: Path) -> None:
    service = FrontService(tmp_path, models="iris", concurrency_adaptive=False, max_in_flight=7)
    assert service.worker.overload.limit == 7
    assert service.predict(FLOWER).status_code == 200
    service.close()


@pytest.mark.parametrize("name", ["x-request-timeout-ms", "x-envoy-expected-rq-timeout-ms"])
def test_what_nobody_waits_for_is_not_computed(service: FrontService, name: str) -> None:
    """The loop was at work for two seconds before it read the request: the caller's first is over."""
    service.predict(FLOWER)
    row = {**FLOWER, "sepal_length": 5.55}
    service.worker.overload.late = 4.0
    late = service.predict(row, **{name: "1000"})
    problem(late, 504, "deadline-exceeded")
    service.worker.overload.late = 0.0
    answer = service.predict(row, **{name: "1000"})
    assert (answer.status_code, answer.headers["x-cache"]) == (200, "miss")


def test_a_deadline_that_cannot_be_understood_is_an_error(service: FrontService) -> None:
    problem(service.predict(FLOWER, **{"x-request-timeout-ms": "soon"}), 400, "invalid-request")


def test_what_is_in_progress_goes_back_to_nothing_whatever_happens(service: FrontService) -> None:
    service.predict(FLOWER)
    service.predict({"instances": [FLOWER] * 40})
    service.predict({})
    service.predict(FLOWER, **{"x-request-timeout-ms": "soon"})
    assert service.worker.overload.in_progress == 0
    assert service.worker.metrics.in_flight == 0


def test_bodies_on_their_way_hold_nobody_s_place(tmp_path: Path) -> None:
    """Not even before anybody is known: `/login` is open."""
    service = FrontService(tmp_path, models="iris", max_in_flight=3)

    async def answered() -> tuple[int, int]:
        sending = [asyncio.create_task(_half_a_login(service)) for _ in range(10)]
        await asyncio.sleep(0.05)
        answer = await service.client.post("/predict/iris", json=FLOWER, headers=service.token())
        waiting = service.worker.metrics.overload.uploads
        for task in sending:
            task.cancel()
        await asyncio.gather(*sending, return_exceptions=True)
        return answer.status_code, waiting

    assert service.runner.run(answered()) == (200, 10)
    assert service.worker.metrics.overload.uploads == 0
    service.close()


async def _half_a_login(service: FrontService) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    await service.client.post("/login", content=body())


@pytest.mark.parametrize("limited", [True, False])
def test_whoever_came_while_there_was_room_asks_again_when_his_body_has_come(
    service: FrontService, limited: bool
) -> None:
    path = "/predict/iris" if limited else "/explain/iris"
    assert asked(service, service.token()).status_code == 200
    assert service.ask("POST", path, headers=service.token(), json=FLOWER).status_code == 200
    overload = service.worker.overload

    async def body() -> AsyncIterator[bytes]:
        yield b" "
        await asyncio.sleep(0.01)
        overload.in_progress += overload.most  # others were quicker
        yield json.dumps(FLOWER).encode()

    answer = service.ask(
        "POST", path, headers={**service.token(), "content-type": "application/json"}, content=body()
    )
    overload.in_progress -= overload.most
    if limited:
        refused(answer)
        assert shed(service, LIMIT) == 1
    else:
        assert answer.status_code == 200
