"""One HTTP request and its reply, as the handlers see them: no framework objects on the hot path."""

from __future__ import annotations

import time
import types
from collections.abc import Awaitable, Callable, Coroutine, Generator, MutableMapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, cast

from auth.principal import Principal
from modelkit.errors import (
    ClientGone,
    InvalidRequest,
    NotAcceptable,
    PayloadTooLarge,
    UnsupportedMediaType,
)
from serving.connections.whole_answers import Answer
from serving.http.accepting import takes
from serving.overload.deadlines import CALLERS, ENVOYS, asked_seconds
from serving.overload.uploads import Uploads
from serving.predictor import Asking
from serving.splitting import split_key_of
from serving.tracing.context import TRACE
from serving.tracing.stages import Stages

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

JSON = b"application/json"
SPLIT_KEY = b"x-split-key"
# A token in a cache is a token of whoever reads that cache (RFC 6749, section 5.1).
NO_STORE = ((b"cache-control", b"no-store"), (b"pragma", b"no-cache"))


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
    split_keys: bool = False  # AB_SPLIT_BY=key: the header counts


@dataclass(slots=True)
class Exchange:
    """A request being answered. `principal` stays None on open routes; `arrived` is `time.perf_counter`; what is `limited`
    meets the adaptive limit again where its body comes later than its head.

    `limit_fields` are headers of every answer from the moment that the caller's limit was charged, `traceparent` is one of
    every answer; `stages` are of a request that is recorded; `late` is what it waited before `arrived`, as far as is known.
    """

    scope: Scope
    receive: Receive
    headers: dict[bytes, bytes]
    request_id: str
    arrived: float
    limits: FrontLimits
    uploads: Uploads
    limited: bool = False
    principal: Principal | None = None
    limit_fields: tuple[tuple[bytes, bytes], ...] = ()
    traceparent: bytes = b""
    stages: Stages | None = None
    late: float = 0.0

    @property
    def caller(self) -> Principal:
        assert self.principal is not None, "an open route has no caller"
        return self.principal

    @property
    def peer(self) -> str:
        return str((self.scope.get("client") or ("", 0))[0])

    @property
    def pairs(self) -> Headers:
        return cast(Headers, self.scope["headers"])

    @property
    def method(self) -> str:
        return cast(str, self.scope["method"])

    @property
    def deadline(self) -> float:
        """Raises InvalidRequest where the caller's own cannot be understood."""
        seconds, headers = self.limits.request_timeout_seconds, self.headers
        if CALLERS in headers or ENVOYS in headers:
            seconds = asked_seconds(headers, seconds)
        return self.arrived - self.late + seconds

    @property
    def asking(self) -> Asking:
        key = self._split_key() if self.limits.split_keys else ""
        trace_id = self.traceparent[TRACE].decode()
        return Asking(
            self.request_id, self.caller, self.arrived, self.deadline, trace_id, key, stages=self.stages
        )

    def refuse_unless_taken(self, media_type: bytes) -> None:
        """Raises NotAcceptable where the client says that it takes no answer of this type."""
        if not takes(self.headers.get(b"accept", b"*/*"), media_type):
            raise NotAcceptable(f"The answer would be {media_type.decode()}")

    def _split_key(self) -> str:
        """Raises InvalidRequest where there are two: either would send the caller somewhere else."""
        given = self.headers.get(SPLIT_KEY)
        if not given:
            return ""
        if len(self.pairs) != len(self.headers) and sum(name == SPLIT_KEY for name, _ in self.pairs) > 1:
            raise InvalidRequest("X-Split-Key is given more than once")
        return split_key_of(given)

    async def json_body(self, *, at_most: int | None = None) -> bytes:
        """The body of a JSON request that takes a JSON answer; `at_most` where the route needs less than others.

        Raises UnsupportedMediaType, NotAcceptable, PayloadTooLarge, RequestTimeout or ClientGone.
        """
        media_type = self.headers.get(b"content-type", JSON)
        if media_type != JSON and media_type.split(b";", 1)[0].strip().lower() != JSON:
            raise UnsupportedMediaType("the body must be application/json")
        return await self.body(at_most=at_most)

    async def body(self, *, answer: bytes | None = JSON, at_most: int | None = None) -> bytes:
        """The body of whatever type, of a request that takes this type of answer: None where its body decides that.

        Raises the same, or Overloaded.
        """
        if b"content-encoding" in self.headers:
            raise UnsupportedMediaType("compressed bodies are not accepted")
        if answer is not None:
            self.refuse_unless_taken(answer)
        most = self.limits.max_body_bytes
        if at_most is not None and at_most < most:
            most = at_most
        if _declared_bytes(self.headers) > most:
            raise PayloadTooLarge
        receiving = cast("Coroutine[Any, Any, Message]", self.receive())
        try:
            waiting = receiving.send(None)
        except StopIteration as finished:
            message: Message = finished.value
            if not message.get("more_body", False):  # all of it was there: no place and no timer is needed
                return _piece_of(message, most)
            return await self._arriving(partial(_at_once, message), most)
        return await self._arriving(partial(_resumed, receiving, waiting), most)

    async def _arriving(self, first: Callable[[], Awaitable[Message]], most: int) -> bytes:
        """Waits in a place of its own, and asks for that of a request again when all has come."""
        pieces, size, receive = [], 0, first
        async with self.uploads.place(self.deadline - time.perf_counter()) as came:
            while True:
                message = await receive()
                pieces.append(_piece_of(message, most - size))
                if not message.get("more_body", False):
                    break
                size += len(pieces[-1])
                came(size)
                receive = self.receive
        caller = self.principal
        self.uploads.refuse_if_filled(None if caller is None else caller.subject, limited=self.limited)
        return b"".join(pieces)


def _piece_of(message: Message, room: int) -> bytes:
    """Raises ClientGone, or PayloadTooLarge where there is no room for so many bytes."""
    if message["type"] == "http.disconnect":
        raise ClientGone  # what has come may be a body by itself, and is not the one meant
    piece: bytes = message.get("body", b"")
    if len(piece) > room:
        raise PayloadTooLarge
    return piece


def _declared_bytes(headers: dict[bytes, bytes]) -> int:
    try:
        return int(headers.get(b"content-length", b"0"))
    except ValueError:
        raise InvalidRequest("Content-Length is not a number") from None


@types.coroutine
def _resumed(coroutine: Coroutine[Any, Any, Message], waiting: Any) -> Generator[Any, Any, Message]:
    """Awaits a coroutine that was started by hand and now waits for `waiting`."""
    while True:
        try:
            value = yield waiting
        except BaseException as error:
            step = partial(coroutine.throw, error)
        else:
            step = partial(coroutine.send, value)
        try:
            waiting = step()
        except StopIteration as finished:
            return cast(Message, finished.value)


async def _at_once(message: Message) -> Message:
    return message


async def send_reply(send: Send, reply: Reply, headers: Headers, answer: Answer | None = None) -> None:
    """`answer` takes it as a whole, where there is one and it can."""
    headers.append((b"content-type", reply.media_type))
    headers.append((b"content-length", b"%d" % len(reply.body)))
    headers.extend(reply.headers)
    if answer is not None and answer(reply.status, headers, reply.body):
        return
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
