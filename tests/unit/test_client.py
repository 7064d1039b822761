"""The client against a real HTTP server that answers from a script and records what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from clients.client import RequestFailed, SlipwayClient
from clients.evidence import Missing, metric_lines
from clients.settings import ClientSettings

ANSWER = {
    "prediction": "setosa",
    "model": "iris",
    "model_version": "3",
    "prediction_id": "p1",
    "cached": False,
}


class ScriptedServer(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), ScriptedHandler)
        self.script: dict[str, tuple[int, Any]] = {}
        self.seen: list[tuple[str, str | None, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class ScriptedHandler(BaseHTTPRequestHandler):
    server: ScriptedServer

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _answer(self, body: Any) -> None:
        self.server.seen.append((self.path, self.headers.get("Authorization"), body))
        status, answer = self.server.script[self.path]
        payload = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def test_after_logging_in_a_prediction_carries_the_token(server: ScriptedServer) -> None:
    server.script = {"/login": (200, {"access_token": "t0ken"}), "/predict/iris": (200, ANSWER)}
    with SlipwayClient(server.url) as client:
        client.log_in("ada", "secret")
        answer = client.predict("iris", {"petal_width": 0.2})
    assert (answer.prediction, answer.model_version, answer.cached) == ("setosa", "3", False)
    assert server.seen == [
        ("/login", None, {"username": "ada", "password": "secret"}),
        ("/predict/iris", "Bearer t0ken", {"petal_width": 0.2}),
    ]


def test_a_refusal_says_which_call_and_why(server: ScriptedServer) -> None:
    server.script = {"/login": (401, {"code": "unauthenticated"})}
    with (
        SlipwayClient(server.url) as client,
        pytest.raises(RequestFailed, match=r"POST /login: 401 .*unauthenticated"),
    ):
        client.log_in("ada", "wrong")


def test_nobody_listening_is_not_ready_and_a_failed_request() -> None:
    with SlipwayClient("http://127.0.0.1:9") as client:
        assert not client.is_ready()
        with pytest.raises(RequestFailed, match="GET /metrics: ConnectError"):
            client.metrics()


@pytest.mark.parametrize(("status", "ready"), [(200, True), (503, False)])
def test_readiness_is_the_status_of_the_probe(server: ScriptedServer, status: int, ready: bool) -> None:
    server.script = {"/readyz": (status, {})}
    with SlipwayClient(server.url) as client:
        assert client.is_ready() is ready


def test_the_line_that_counted_an_answer_is_found_by_model_and_version(server: ScriptedServer) -> None:
    server.script = {"/predict/iris": (200, ANSWER)}
    with SlipwayClient(server.url) as client:
        answer = client.predict("iris", {})
    counted = 'slipway_predictions_total{model="iris",outcome="ok",source="model",version="3"} 1.0'
    others = 'slipway_predictions_total{model="iris",outcome="ok",source="model",version="2"} 9.0\n'
    assert metric_lines(others + counted, answer) == [counted]
    with pytest.raises(Missing, match="iris by version 3"):
        metric_lines(others, answer)


def test_a_service_that_listens_everywhere_is_reached_on_loopback() -> None:
    assert ClientSettings(api_host="0.0.0.0", api_port=8123).base_url == "http://127.0.0.1:8123"
