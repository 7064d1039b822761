"""The life of a gRPC call from its first byte to its status, in the order of `serving.http.app`: shed, authenticate, read, hand
over, answer. A method takes its message as bytes, so that nothing of a stranger's is parsed, or even waited for.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import structlog
from google.protobuf.message import Message
from grpc import StatusCode
from grpc.aio import AbortError

from auth.scopes import require
from modelkit.errors import (
    MethodNotAllowed,
    SlipwayError,
    Unauthenticated,
)
from serving.grpc.call import GrpcCall
from serving.grpc.incoming import message_of
from serving.grpc.parts import GrpcLimits
from serving.grpc.status import Refusal, Trailing, refusal_of, told
from serving.grpc.surface import Rpc
from serving.grpc.telling import CANCELLED, OK, Called, GrpcTelling
from serving.identifiers import REQUEST_ID, Identifiers
from serving.metrics import Metrics
from serving.overload.door import Door

Method = Callable[[GrpcCall, bytes], Awaitable[Message]]
Stream = Callable[[Any], AsyncIterator[bytes]]


class GrpcFront:
    """Owns every method. `answer` and `stream` are what a server calls, with a context of `grpc.aio`."""

    def __init__(
        self,
        door: Door,
        metrics: Metrics,
        limits: GrpcLimits,
        telling: GrpcTelling,
    ) -> None:
        self._door, self._admission, self._overload = door, door.admission, door.overload
        self._metrics, self._limits, self._telling = metrics, limits, telling
        self._new_id = Identifiers()
        self._log = structlog.get_logger("slipway.service")

    async def answer(self, rpc: Rpc, method: Method, _: Any, context: Any) -> bytes:
        """One message in, one out. Its message is read here, and not by the server, after its caller is known."""
        call = self._call(rpc, context)
        metrics = self._metrics
        metrics.in_flight += 1
        status, failed = CANCELLED, ""
        code = StatusCode.CANCELLED  # the server ends this coroutine where a client goes away
        try:
            answer: bytes = (await self._answered(rpc, method, call)).SerializeToString()
            code, status = StatusCode.OK, OK
        except SlipwayError as error:
            self._admission.refused(error, call, rpc.path)
            refusal = refusal_of(error, request_id=call.request_id)
            code, status, failed = refusal.code, error.status, error.code
        except Exception as error:
            refusal = self._failed(rpc, call, error)
            code, status, failed = refusal.code, SlipwayError.status, SlipwayError.code
        finally:
            metrics.in_flight -= 1
            seconds = time.perf_counter() - call.arrived
            metrics.grpc.finished(rpc.name, code.name, seconds)
            if not rpc.probe:  # objectives, canaries and autoscaling look at requests, whatever they came by
                metrics.request_finished(rpc.path, "GRPC", status, seconds)
            self._telling.answered(call, Called(rpc, status, code.name, failed))
        if code is not StatusCode.OK:
            await _abort(call, refusal, _own_metadata(call))
        context.set_trailing_metadata(_own_metadata(call))
        return answer

    async def stream(self, rpc: Rpc, stream: Stream, sent: Any, context: Any) -> AsyncIterator[bytes]:
        """Many out, for as long as the client stays: such methods are open, and not among the requests in flight."""
        call = self._call(rpc, context)
        code, refusal = StatusCode.CANCELLED, None
        try:
            async for answer in stream(sent):
                yield answer
            code = StatusCode.OK
        except SlipwayError as error:
            refusal = refusal_of(error, request_id=call.request_id)
            code = refusal.code
        finally:
            self._metrics.grpc.stream_ended(rpc.name, code.name)
        if refusal is not None:
            await _abort(call, refusal, [])

    async def identify(self, rpc: Rpc, call: GrpcCall) -> None:
        """Who calls, and that he may call this. Raises Unauthenticated or InsufficientScope."""
        headers = [(b"authorization", _bytes(value)) for name, value in call.sent if name == "authorization"]
        try:
            call.principal = self._admission.admit(rpc.path, headers)
        except Unauthenticated as error:
            call.principal = await self._admission.admit_later(rpc.path, headers, error)
        if rpc.scope is not None:
            require(call.caller, rpc.scope)

    async def unknown(self, call: GrpcCall, message: bytes) -> Message:
        raise MethodNotAllowed("There is no such method")

    def _call(self, rpc: Rpc, context: Any) -> GrpcCall:
        arrived = time.perf_counter()
        sent = context.invocation_metadata() or ()
        given = {name: value for name, value in sent}
        trace = _bytes(given.get("traceparent")), _bytes(given.get("tracestate"))
        traceparent, stages = self._telling.begin(rpc, *trace, arrived)
        seconds, own = context.time_remaining(), self._limits.request_timeout_seconds
        return GrpcCall(
            context,
            sent,
            given,
            request_id=self._request_id(_bytes(given.get("x-request-id"))),
            traceparent=traceparent,
            arrived=arrived,
            deadline=arrived + (own if seconds is None else min(own, seconds)),
            split_keys=self._limits.split_keys,
            stages=stages,
        )

    def _request_id(self, given: bytes) -> str:
        return given.decode() if REQUEST_ID.fullmatch(given) else self._new_id()

    async def _answered(self, rpc: Rpc, method: Method, call: GrpcCall) -> Message:
        overload = self._overload
        if overload.in_progress >= overload.gate or self._metrics.in_flight > self._limits.max_in_flight:
            if not rpc.probe:
                token = _bytes(call.given.get("authorization"))
                self._door.refuse_without_room(token, limited=rpc.limited)
        await self.identify(rpc, call)
        if call.stages is not None:
            call.stages.ended("admission")
        uploads = self._door.uploads
        message = await message_of(call, self._limits, uploads)
        if not rpc.probe:
            caller = call.principal
            uploads.refuse_if_filled(None if caller is None else caller.subject, limited=rpc.limited)
        return await method(call, message)

    def _failed(self, rpc: Rpc, call: GrpcCall, error: Exception) -> Refusal:
        self._log.error("request failed", route=rpc.path, request_id=call.request_id, exc_info=error)
        return refusal_of(SlipwayError(), request_id=call.request_id)


async def _abort(call: GrpcCall, refusal: Refusal, own: Trailing) -> None:
    """Ends the call, and this coroutine with it. A client that is gone by now is nobody's fault, least of all the log's."""
    try:
        await call.context.abort(refusal.code, refusal.message, (*own, *refusal.trailing))
    except (AbortError, asyncio.CancelledError):
        raise
    except Exception:
        raise asyncio.CancelledError from None


def _own_metadata(call: GrpcCall) -> Trailing:
    return [
        ("x-request-id", call.request_id),
        ("traceparent", call.traceparent.decode()),
        *told(call.limit_fields),
    ]


def _bytes(value: str | bytes | None) -> bytes:
    if value is None:
        return b""
    return value if isinstance(value, bytes) else value.encode()
