"""`grpc.health.v1`: overall and per model, as the probes of HTTP say it. A service is a model, ours, or empty for all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

from google.protobuf.message import Message
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse, HealthListResponse

from modelkit.errors import NotFound, Overloaded
from serving.grpc.call import GrpcCall
from serving.grpc.messages import parsed
from serving.grpc.surface import INFERENCE
from serving.readiness import Readiness

LOOK_SECONDS = 0.1
MAX_WATCHERS = 1000  # anybody may watch, and each costs memory for as long as he likes

OVERALL = ""
SERVING, NOT_SERVING = HealthCheckResponse.SERVING, HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN = HealthCheckResponse.SERVICE_UNKNOWN


class Health:
    """`run` looks at the readiness; whoever watches is told of changes, and that it is over when this port closes."""

    def __init__(self, readiness: Readiness, models: Iterable[str]) -> None:
        self._readiness, self._models = readiness, frozenset(models)
        self._changed = asyncio.Event()
        self._watchers = 0
        self._known: dict[str, HealthCheckResponse.ServingStatus] = {}
        self._closing = False
        self.look()

    async def run(self) -> None:
        """Runs until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_SECONDS)

    def look(self) -> None:
        known = {OVERALL: _status(serving=not self._closing and not self._readiness.reasons())}
        known[INFERENCE] = known[OVERALL]
        for name in self._models:
            known[name] = _status(serving=not self._closing and self._readiness.of_model(name))
        if known != self._known:
            self._known = known
            self._changed.set()
            self._changed = asyncio.Event()

    def close(self) -> None:
        """Every watcher is told that nothing is served here any more, and its stream ends."""
        self._closing = True
        self.look()
        self._changed.set()

    async def check(self, call: GrpcCall, message: bytes) -> Message:
        """Raises NotFound where there is no such service."""
        status = self._known.get(parsed(HealthCheckRequest, message).service)
        if status is None:
            raise NotFound
        return HealthCheckResponse(status=status)

    async def list_all(self, call: GrpcCall, message: bytes) -> Message:
        statuses = {name: HealthCheckResponse(status=status) for name, status in self._known.items()}
        return HealthListResponse(statuses=statuses)

    async def watch(self, message: bytes) -> AsyncIterator[bytes]:
        """The status now, and at every change. Raises Overloaded where too many watch already."""
        service = parsed(HealthCheckRequest, message).service
        if self._watchers >= MAX_WATCHERS:
            raise Overloaded
        self._watchers += 1
        try:
            async for status in self._statuses(service):
                yield HealthCheckResponse(status=status).SerializeToString()
        finally:
            self._watchers -= 1

    async def _statuses(self, service: str) -> AsyncIterator[HealthCheckResponse.ServingStatus]:
        told: HealthCheckResponse.ServingStatus | None = None
        while True:
            changed, status = self._changed, self._known.get(service, SERVICE_UNKNOWN)
            if status != told:
                told = status
                yield status
            if self._closing:
                return
            await changed.wait()


def _status(*, serving: bool) -> HealthCheckResponse.ServingStatus:
    return SERVING if serving else NOT_SERVING
