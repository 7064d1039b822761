"""Server reflection: what this port speaks, for tools that have no `.proto` at hand. As open as `/openapi.json`.

Tools ask for `v1` and some then for `v1alpha`: the library has the latter, and the messages of both are the same.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha.reflection import SERVICE_NAME, aio
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest

from modelkit.errors import Overloaded
from serving.grpc import open_inference_grpc_pb2
from serving.grpc.messages import parsed

MAX_STREAMS = 100  # anybody may open one, and keep it

SERVICES = tuple(
    service.full_name
    for module in (open_inference_grpc_pb2, health_pb2)
    for service in module.DESCRIPTOR.services_by_name.values()
)


class Reflection:
    """The library's answers, for a bounded number of streams at a time."""

    def __init__(self) -> None:
        self._answers = aio.ReflectionServicer((*SERVICES, SERVICE_NAME)).ServerReflectionInfo
        self._open = 0

    async def answers(self, messages: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Raises Overloaded where too many ask already, or InvalidRequest."""
        if self._open >= MAX_STREAMS:
            raise Overloaded
        self._open += 1
        try:
            async for answer in self._answers(_requests(messages), None):
                yield answer.SerializeToString()
        finally:
            self._open -= 1


async def _requests(messages: AsyncIterator[bytes]) -> AsyncIterator[Any]:
    async for message in messages:
        yield parsed(ServerReflectionRequest, message)
