"""Each status that refuses, forced by what causes it: a problem in full, with its headers, and nothing of ours."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from serving.loaded_model import LoadedModel
from serving.outcome import Outcome
from tests.front_service import FLOWER, FrontService
from tests.hostile.answers import Answer
from tests.hostile.judge import verdict

CANARY = "canary-5b1f"
WRONG = json.dumps({**FLOWER, "sepal_length": CANARY}).encode()
GOOD = json.dumps(FLOWER).encode()
JSON = {"content-type": "application/json"}
FAILURES = (500, 503, 504)

Ask = Callable[[FrontService], httpx.Response]


class Breaks(LoadedModel):
    """A version with a bug."""

    def predict(self, rows: Sequence[msgspec.Struct]) -> list[Outcome]:
        raise RuntimeError(f"{CANARY} in {__file__}")


def _break(front: FrontService) -> None:
    slot = front.worker.board.slots["iris"]
    assert slot.current is not None
    members = {field.name: getattr(slot.current, field.name) for field in dataclasses.fields(slot.current)}
    slot.current = Breaks(**members)


def _predict(
    body: bytes = GOOD, scopes: str = "predict", *, kind: str = "application/json", accept: str = "*/*"
) -> Ask:
    headers = {"content-type": kind, "accept": accept}
    return lambda front: front.ask(
        "POST", "/predict/iris", content=body, headers={**front.token(scopes), **headers}
    )


def _at(method: str, path: str) -> Ask:
    return lambda front: front.ask(method, path, headers=front.token("predict read"))


def _stalled(front: FrontService) -> httpx.Response:
    async def body() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(30)

    return front.ask("POST", "/predict/iris", content=body(), headers={**front.token(), **JSON})


def _twice(front: FrontService) -> httpx.Response:
    _predict()(front)
    return _predict()(front)


def _broken(front: FrontService) -> httpx.Response:
    _break(front)
    return _predict()(front)


def _told_by_nobody(front: FrontService) -> httpx.Response:
    body = json.dumps({"prediction_id": "0" * 26, "actual": CANARY}).encode()
    return front.ask("POST", "/feedback", content=body, headers={**front.token("feedback"), **JSON})


# By status and code: the settings that it needs, and the request.
FORCED: dict[tuple[int, str], tuple[dict[str, Any], Ask]] = {
    (400, "invalid-request"): ({}, _predict(WRONG)),
    (401, "unauthenticated"): ({}, lambda front: front.ask("POST", "/predict/iris", content=GOOD)),
    (403, "insufficient-scope"): ({}, _predict(scopes="read")),
    (404, "model-not-found"): ({}, _at("POST", f"/predict/{CANARY}")),
    (404, "not-found"): ({}, _at("GET", f"/{CANARY}")),
    (405, "method-not-allowed"): ({}, _at("DELETE", "/predict/iris")),
    (406, "not-acceptable"): ({}, _predict(accept=f"text/{CANARY}")),
    (408, "request-timeout"): ({"request_timeout_seconds": 0.2}, _stalled),
    (413, "payload-too-large"): ({"max_body_bytes": 1024}, _predict(CANARY.encode() * 200)),
    (415, "unsupported-media-type"): ({}, _predict(kind=f"text/{CANARY}")),
    (429, "rate-limited"): ({"rate_limit_per_second": 0.001, "rate_limit_burst": 1}, _twice),
    (500, "prediction-failed"): ({}, _broken),
    (503, "feedback-unavailable"): ({"database_url": f"sqlite:////nowhere/{CANARY}.db"}, _told_by_nobody),
    (504, "deadline-exceeded"): ({"request_timeout_seconds": 1e-6}, _predict()),
}


@pytest.mark.parametrize(("status", "code"), FORCED, ids=str)
def test_a_refusal_is_a_problem_that_has_a_page_and_tells_nothing(
    tmp_path: Path, status: int, code: str
) -> None:
    settings, ask = FORCED[status, code]
    front = FrontService(tmp_path, models="iris", **settings)
    try:
        said = ask(front)
        assert (said.status_code, said.json()["code"]) == (status, code)
        assert verdict(Answer(status, dict(said.headers), said.content), may=FAILURES) == []
        assert CANARY not in f"{said.text} {said.headers}"
        assert said.json()["instance"].endswith(said.headers["x-request-id"])
        page = front.ask("GET", said.json()["type"])
        assert (page.status_code, code in page.text) == (200, True)
    finally:
        front.close()
