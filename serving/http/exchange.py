"""One HTTP request and its reply, as the handlers see them: no framework objects on the hot path."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from auth.principal import Principal
from modelkit.errors import PayloadTooLarge, RequestTimeout, UnsupportedMediaType
from serving.predictor import Asking

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

JSON = b"application/json"


class Reply(NamedTuple):
    """Status, body, media type and further headers of an answer."""

    status: int
    body: bytes
    media_type: bytes = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class FrontLimits:
    max_in_flight: int
    max_body_bytes: int
    request_timeout_seconds: float


@dataclass(slots=True)
class Exchange:
    """A request being answered. `principal` stays None on open routes; `arrived` is `time.perf_counter`."""

    scope: Scope
    receive: Receive
    headers: dict[bytes, bytes]
    request_id: str
    arrived: float
    limits: FrontLimits
    principal: Principal | None = None

    @property
    def caller(self) -> Principal:
        assert self.principal is not None, "an open route has no caller"
        return self.principal

    @property
    def deadline(self) -> float:
        return self.arrived + self.limits.request_timeout_seconds

    @property
    def asking(self) -> Asking:
        return Asking(self.request_id, self.caller, self.arrived, self.deadline)

    async def json_body(self) -> bytes:
        """The body of a JSON request. Raises UnsupportedMediaType, PayloadTooLarge or RequestTimeout."""
        media_type = self.headers.get(b"content-type", JSON)
        if media_type != JSON and media_type.split(b";", 1)[0].strip().lower() != JSON:
            raise UnsupportedMediaType
        if b"content-encoding" in self.headers:
            raise UnsupportedMediaType("compressed bodies are not accepted")
        if int(self.headers.get(b"content-length", b"0")) > self.limits.max_body_bytes:
            raise PayloadTooLarge(headers=[("connection", "close")])
        try:
            async with asyncio.timeout(self.deadline - time.perf_counter()):
                return await self._read()
        except TimeoutError:
            raise RequestTimeout(headers=[("connection", "close")]) from None

    async def _read(self) -> bytes:
        message = await self.receive()
        body: bytes = message.get("body", b"")
        if not message.get("more_body", False):
            return body
        chunks, size = [body], len(body)
        while message.get("more_body", False):
            message = await self.receive()
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > self.limits.max_body_bytes:
                raise PayloadTooLarge(headers=[("connection", "close")])
            chunks.append(chunk)
        return b"".join(chunks)


async def send_reply(send: Send, reply: Reply, headers: Headers) -> None:
    headers.append((b"content-type", reply.media_type))
    headers.append((b"content-length", b"%d" % len(reply.body)))
    headers.extend(reply.headers)
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
