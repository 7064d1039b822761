"""The client against a real HTTP server that answers from a script and records what it was asked."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from clients.client import RequestFailed, SlipwayClient
from clients.credentials import ClientSecret, Password, TokenFile
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
        self.first: dict[str, tuple[int, Any, dict[str, str]]] = {}  # instead, once
        self.seen: list[tuple[str, str | None, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class ScriptedHandler(BaseHTTPRequestHandler):
    server: ScriptedServer

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        form = self.headers["Content-Type"] == "application/x-www-form-urlencoded"
        self._answer(body.decode() if form else json.loads(body))

    def _answer(self, body: Any) -> None:
        self.server.seen.append((self.path, self.headers.get("Authorization"), body))
        always = self.server.script[self.path]
        status, answer, headers = self.server.first.pop(self.path, (*always, {}))
        payload = json.dumps(answer).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
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
    server.script = {
        "/login": (200, {"access_token": "t0ken", "expires_in": 900}),
        "/predict/iris": (200, ANSWER),
    }
    with SlipwayClient(server.url) as client:
        client.log_in("ada", "secret")
        answer = client.predict("iris", {"petal_width": 0.2})
    assert (answer.prediction, answer.model_version, answer.cached) == ("setosa", "3", False)
    assert server.seen == [
        ("/login", None, {"username": "ada", "password": "secret"}),
        ("/predict/iris", "Bearer t0ken", {"petal_width": 0.2}),
    ]


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def issued(token: str, **more: str) -> tuple[int, dict[str, Any]]:
    return 200, {"access_token": token, "expires_in": 900, **more}


def test_a_token_is_refreshed_before_it_runs_out(server: ScriptedServer) -> None:
    clock = Clock()
    server.script = {
        "/login": issued("one", refresh_token="r1"),
        "/auth/refresh": issued("two", refresh_token="r2"),
        "/predict/iris": (200, ANSWER),
    }
    with SlipwayClient(server.url, credentials=Password("ada", "secret", clock=clock)) as client:
        for seconds in (0, 700, 30):
            clock.now += seconds
            client.predict("iris", {})
    asked = [(path, token) for path, token, _ in server.seen]
    assert asked == [
        ("/login", None),
        ("/predict/iris", "Bearer one"),
        ("/predict/iris", "Bearer one"),
        ("/auth/refresh", None),
        ("/predict/iris", "Bearer two"),
    ]
    assert server.seen[3][2] == {"refresh_token": "r1"}


def test_a_session_that_is_over_is_opened_again(server: ScriptedServer) -> None:
    server.script = {
        "/login": issued("one", refresh_token="r1"),
        "/auth/refresh": (400, {"error": "invalid_grant"}),
        "/predict/iris": (200, ANSWER),
    }
    server.first = {"/predict/iris": (401, {"code": "token-revoked"}, {})}
    with SlipwayClient(server.url) as client:
        client.log_in("ada", "secret")
        client.predict("iris", {})
    assert [path for path, _, _ in server.seen] == [
        *("/login", "/predict/iris", "/auth/refresh", "/login", "/predict/iris"),
    ]


def test_a_program_gets_its_token_for_its_secret(server: ScriptedServer) -> None:
    server.script = {"/auth/token": issued("c"), "/predict/iris": (200, ANSWER)}
    with SlipwayClient(server.url, credentials=ClientSecret("shop", "hush", scope="predict")) as client:
        client.predict("iris", {})
    path, login, form = server.seen[0]
    assert (path, form) == ("/auth/token", "grant_type=client_credentials&scope=predict")
    assert login == "Basic " + base64.b64encode(b"shop:hush").decode()


def test_a_pod_s_token_is_read_again_when_it_was_renewed(server: ScriptedServer, tmp_path: Path) -> None:
    clock, file = Clock(), tmp_path / "token"
    file.write_text("old\n")
    server.script = {"/predict/iris": (200, ANSWER)}
    with SlipwayClient(server.url, credentials=TokenFile(file, clock=clock)) as client:
        client.predict("iris", {})
        file.write_text("new\n")
        client.predict("iris", {})
        clock.now += 10
        client.predict("iris", {})
        file.unlink()
        clock.now += 10
        with pytest.raises(RequestFailed, match="token: FileNotFoundError"):
            client.predict("iris", {})
    assert [token for _, token, _ in server.seen] == ["Bearer old", "Bearer old", "Bearer new"]


def test_a_token_that_is_refused_is_replaced_at_once(server: ScriptedServer, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("old")
    server.script = {"/predict/iris": (200, ANSWER)}
    with SlipwayClient(server.url, credentials=TokenFile(file)) as client:
        client.predict("iris", {})
        file.write_text("new")
        server.first = {"/predict/iris": (401, {"code": "token-expired"}, {})}
        client.predict("iris", {})
    assert [token for _, token, _ in server.seen] == ["Bearer old", "Bearer old", "Bearer new"]


def test_who_asks_too_often_asks_again_after_the_time_he_is_told(server: ScriptedServer) -> None:
    waited: list[float] = []
    server.script = {"/predict/iris": (200, ANSWER)}
    server.first = {"/predict/iris": (429, {"code": "rate-limited"}, {"Retry-After": "3"})}
    with SlipwayClient(server.url, sleep=waited.append) as client:
        assert client.predict("iris", {}).prediction == "setosa"
    assert waited == [3.0]


def test_a_long_wait_is_the_caller_s_business(server: ScriptedServer) -> None:
    waited: list[float] = []
    server.script = {"/predict/iris": (429, {"code": "rate-limited"})}
    server.first = {"/predict/iris": (429, {"code": "rate-limited"}, {"Retry-After": "900"})}
    with (
        SlipwayClient(server.url, sleep=waited.append) as client,
        pytest.raises(RequestFailed, match=r"429 .*rate-limited"),
    ):
        client.predict("iris", {})
    assert waited == []


def test_a_refusal_says_which_call_and_why(server: ScriptedServer) -> None:
    server.script = {"/login": (401, {"code": "wrong-credentials"})}
    with (
        SlipwayClient(server.url) as client,
        pytest.raises(RequestFailed, match=r"POST /login: 401 .*wrong-credentials"),
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
