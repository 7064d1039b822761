"""Refusals of what never reached the front app: the same problems, written by the connection itself."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

from modelkit.errors import SlipwayError
from serving.connections.house import House
from serving.connections.whole_answers import head_of
from serving.http.exchange import Headers, Reply
from serving.http.problems import problem_reply
from serving.http.telling import TRACEPARENT

App = Callable[[Any, Any, Any], Awaitable[None]]


def refusal(error: SlipwayError, house: House, default_headers: Headers) -> bytes:
    """The whole answer, after which the connection ends."""
    reply, headers = _problem(error, house)
    return head_of(reply.status, (*default_headers, *headers)) + reply.body


def saying(error: SlipwayError, house: House) -> App:
    """An app that refuses: for a request whose turn to be answered has not come yet."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        reply, headers = _problem(error, house)
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})
        house.answered(reply.status, time.perf_counter())

    return app


def _problem(error: SlipwayError, house: House) -> tuple[Reply, Headers]:
    request_id = house.new_id()
    reply = problem_reply(error, request_id=request_id)
    headers = [
        (b"x-request-id", request_id.encode()),
        (TRACEPARENT, house.new_trace()),
        (b"content-type", reply.media_type),
        (b"content-length", b"%d" % len(reply.body)),
        *reply.headers,
        (b"connection", b"close"),
    ]
    return reply, headers
