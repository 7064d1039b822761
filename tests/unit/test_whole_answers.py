"""An answer written as a whole is the one that uvicorn writes in two parts, and pauses between requests end as they did."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from serving.connections.whole_answers import WholeAnswers, taken_answer

HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"2")]
POST = b"POST /predict/iris?a=b HTTP/1.1\r\nhost: here\r\ncontent-length: 2\r\n\r\nhi"


class Transport(asyncio.Transport):
    """Keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


App = Callable[[Any, Any, Any], Coroutine[Any, Any, None]]


def app_that_answers(headers: list[tuple[bytes, bytes]], seen: list[dict[str, Any]]) -> App:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        answer = taken_answer(scope)
        seen.append({**scope, "body": (await receive())["body"]})
        if answer is not None and answer(200, [*headers], b"{}"):
            return
        await send({"type": "http.response.start", "status": 200, "headers": [*headers]})
        await send({"type": "http.response.body", "body": b"{}"})

    return app


class Told:
    """What a client is told, and what the app was."""

    def __init__(self, transport: Transport, seen: list[dict[str, Any]]) -> None:
        self.bytes, self.writes, self.closed = (
            b"".join(transport.written),
            len(transport.written),
            transport.closed,
        )
        self.seen = seen


def ask(
    protocol: type[HttpToolsProtocol],
    *requests: bytes,
    headers: list[tuple[bytes, bytes]] = HEADERS,
    slow: bool = False,
) -> Told:
    async def talk() -> Told:
        seen: list[dict[str, Any]] = []
        config = Config(app_that_answers(headers, seen), http=protocol, log_config=None, lifespan="off")
        state, transport = ServerState(), Transport()
        state.default_headers = [(b"date", b"today")]
        connection = protocol(config, state, {})
        connection.connection_made(transport)
        if slow:
            connection.pause_writing()
            asyncio.get_running_loop().call_later(0.01, connection.resume_writing)
        for request in requests:
            connection.data_received(request)
        while state.tasks:
            await asyncio.sleep(0)
        return Told(transport, seen)

    return asyncio.run(talk())


@pytest.mark.parametrize(
    "request_",
    [
        POST,
        b"GET / HTTP/1.1\r\n\r\n",
        b"HEAD /x HTTP/1.1\r\n\r\n",
        b"GET /a%20b HTTP/1.1\r\nconnection: close\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
        POST + POST + b"GET /else HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\nhi",
    ],
    ids=["post", "get", "head", "close", "http-1.0", "pipelined", "expect"],
)
def test_a_client_gets_the_bytes_that_uvicorn_would_have_sent(request_: bytes) -> None:
    ours, theirs = ask(WholeAnswers, request_), ask(HttpToolsProtocol, request_)
    assert ours.bytes == theirs.bytes
    assert ours.closed == theirs.closed
    assert ours.seen == theirs.seen


def test_an_answer_is_one_write() -> None:
    assert ask(WholeAnswers, POST).writes == 1


def test_an_app_that_wants_the_connection_closed_has_it_closed() -> None:
    told = ask(WholeAnswers, POST, headers=[*HEADERS, (b"connection", b"close")])
    assert told.closed
    assert told.bytes.count(b"connection: close\r\n") == 1


def test_a_client_that_reads_too_slowly_gets_its_answer_when_it_can_take_it() -> None:
    assert ask(WholeAnswers, POST, slow=True).bytes == ask(HttpToolsProtocol, POST).bytes


def test_a_header_cannot_bring_another_one() -> None:
    told = ask(WholeAnswers, POST, headers=[*HEADERS, (b"x-request-id", b"1\r\nset-cookie: a=b")])
    assert b"set-cookie" not in told.bytes


def test_a_connection_on_which_nothing_is_asked_is_closed_after_a_while_and_a_busy_one_is_not() -> None:
    async def live() -> list[bool]:
        config = Config(
            app_that_answers(HEADERS, []), http=WholeAnswers, log_config=None, timeout_keep_alive=1
        )
        state, closed = ServerState(), []
        idle, busy = Transport(), Transport()
        connections = [WholeAnswers(config, state, {}) for _ in range(2)]
        for connection, transport in zip(connections, (idle, busy), strict=True):
            connection.connection_made(transport)
            connection.data_received(POST)
        for _ in range(12):
            await asyncio.sleep(0.15)
            connections[1].data_received(POST)
            closed.append(busy.closed)
        return [idle.closed, any(closed)]

    assert asyncio.run(live()) == [True, False]
