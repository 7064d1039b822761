"""The server of GRPC_PORT: methods by path, and the limits that gRPC itself keeps. `serving.grpc.port` imports this, and late."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import grpc
from grpc import aio

from serving.grpc.front import GrpcFront, Method
from serving.grpc.health import Health
from serving.grpc.incoming import LARGEST
from serving.grpc.methods import InferenceMethods
from serving.grpc.parts import GrpcLimits, GrpcParts
from serving.grpc.reflection import Reflection
from serving.grpc.surface import (
    CHECK,
    INFER,
    LIST,
    LIVE,
    MODEL_METADATA,
    MODEL_READY,
    READY,
    REFLECT,
    REFLECT_ALPHA,
    SERVER_METADATA,
    UNKNOWN,
    WATCH,
    Rpc,
)

SOON = 300_000  # milliseconds; gRPC adds a tenth of it by chance
MAX_METADATA_BYTES = 16_384  # a token may have 8 KiB
STREAMS_BESIDE = 100
ONLY_IDENTITY = 1  # bit 0: messages that are not compressed


class GrpcServer:
    """Listens from `start` until `stop`, which lets calls in progress end."""

    def __init__(self, parts: GrpcParts, address: str) -> None:
        self._health = Health(parts.readiness, parts.board.slots)
        self._address = address
        self._server = aio.server(options=_options(parts.limits))
        self._server.add_generic_rpc_handlers((_Handlers(parts, self._health),))
        self._looking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Raises RuntimeError where the address is taken."""
        self._server.add_insecure_port(self._address)
        await self._server.start()
        self._looking = asyncio.create_task(self._health.run())

    async def stop(self, grace_seconds: float) -> None:
        if self._looking is not None:
            self._looking.cancel()
        self._health.close()
        await self._server.stop(grace_seconds)


def _options(limits: GrpcLimits) -> list[tuple[str, int]]:
    """A client keeps its connection, and with it its replica and worker: a connection ends soon, so that new ones get some."""
    return [
        ("grpc.so_reuseport", int(limits.several)),
        ("grpc.max_receive_message_length", LARGEST * limits.max_body_bytes),
        ("grpc.max_concurrent_streams", limits.max_in_flight + STREAMS_BESIDE),
        ("grpc.max_metadata_size", MAX_METADATA_BYTES),
        ("grpc.absolute_max_metadata_size", MAX_METADATA_BYTES),
        ("grpc.compression_enabled_algorithms_bitset", ONLY_IDENTITY),
        ("grpc.max_connection_age_ms", SOON),
        ("grpc.max_connection_age_grace_ms", int(limits.request_timeout_seconds * 1000)),
    ]


class _Handlers(grpc.GenericRpcHandler):
    """By path, and one for every other: it asks for a token first."""

    def __init__(self, parts: GrpcParts, health: Health) -> None:
        front = GrpcFront(parts.door, parts.metrics, parts.limits, parts.telling)
        methods = InferenceMethods(
            parts.inference, parts.board, parts.readiness, parts.limits, front.identify
        )
        self._handlers = {
            rpc.path: _unary(front, rpc, method)
            for rpc, method in (
                (LIVE, methods.server_live),
                (READY, methods.server_ready),
                (MODEL_READY, methods.model_ready),
                (SERVER_METADATA, methods.server_metadata),
                (MODEL_METADATA, methods.model_metadata),
                (INFER, methods.model_infer),
                (CHECK, health.check),
                (LIST, health.list_all),
            )
        }
        watch = partial(front.stream, WATCH, health.watch)
        self._handlers[WATCH.path] = grpc.unary_stream_rpc_method_handler(watch)
        answers = Reflection().answers
        for rpc in (REFLECT, REFLECT_ALPHA):
            reflect = partial(front.stream, rpc, answers)
            self._handlers[rpc.path] = grpc.stream_stream_rpc_method_handler(reflect)
        self._unknown = _unary(front, UNKNOWN, front.unknown)

    def service(self, handler_call_details: Any) -> Any:
        return self._handlers.get(handler_call_details.method, self._unknown)


def _unary(front: GrpcFront, rpc: Rpc, method: Method) -> Any:
    """To the server a stream of requests: so it waits for no message before the caller is known, and none is parsed."""
    return grpc.stream_unary_rpc_method_handler(partial(front.answer, rpc, method))
