"""A small HTTP client: the first answer after a start, the answer's value and size, and plain GETs."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from bench.errors import BenchError
from bench.load import Target

TIMEOUT_SECONDS = 30.0
POLL_SECONDS = 0.01
HOPELESS = (400, 401, 403, 413, 415, 422)
FIELDS = ("prediction", "predictions", "outputs", "data")


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    body: bytes


def post(target: Target) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=TIMEOUT_SECONDS)
    try:
        headers: Mapping[str, str] = {"Content-Type": "application/json", **target.headers}
        connection.request("POST", target.path, body=target.template, headers=dict(headers))
        answer = connection.getresponse()
        return Answer(status=answer.status, body=answer.read())
    finally:
        connection.close()


def get(port: int, path: str) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return Answer(status=answer.status, body=answer.read())
    finally:
        connection.close()


def wait_for_answer(target: Target, *, limit_seconds: float, check_alive: Callable[[], None]) -> Answer:
    """The first 200, asking again every few milliseconds."""
    deadline, last = time.monotonic() + limit_seconds, "no connection"
    while time.monotonic() < deadline:
        check_alive()
        try:
            answer = post(target)
        except (OSError, http.client.HTTPException):
            time.sleep(POLL_SECONDS)
            continue
        if answer.status == 200:
            return answer
        last = f"{answer.status} {answer.body[:300].decode(errors='replace')}"
        if answer.status in HOPELESS:
            break
        time.sleep(POLL_SECONDS)
    raise BenchError(f"no prediction: {last}")


def predicted_value(body: bytes) -> float:
    """The first prediction in an answer of any of the servers: ours, FastAPI's, V2's or MLflow's."""
    return _first_number(msgspec.json.decode(body))


def _first_number(node: Any) -> float:
    while not isinstance(node, int | float):
        if isinstance(node, dict):
            node = next((node[name] for name in FIELDS if name in node), None)
        elif isinstance(node, list) and node:
            node = node[0]
        else:
            raise BenchError(f"no prediction in an answer: {str(node)[:200]}")
    return float(node)
