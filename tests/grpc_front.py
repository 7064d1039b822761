"""A worker of `tests.front_service` with its gRPC port open, and a client of its own beside it."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import orjson
from google.protobuf.message import Message
from grpc import aio

from serving.grpc import open_inference_grpc_pb2 as pb
from serving.grpc.status import PROBLEM
from serving.grpc.surface import INFERENCE
from tests.front_service import PATIENCE_SECONDS, FrontService
from tests.grpc_requests import ANSWERS

Result = TypeVar("Result")
Metadata = list[tuple[str, str | bytes]]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class GrpcFront(FrontService):
    """Also an HTTP front, as workers are. `channel` is open until `close`."""

    def __init__(self, folder: Path, *, patient: bool = True, **settings: Any) -> None:
        super().__init__(folder, patient=patient, **{"grpc_port": free_port(), "models": "iris", **settings})
        self.channel = self.runner.run(self._open(patient))

    async def _open(self, patient: bool) -> aio.Channel:
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while "grpc" in self.worker.readiness.reasons():
            assert time.monotonic() < give_up_at, self.worker.readiness.reasons()
            await asyncio.sleep(0.01)
        return aio.insecure_channel(self.address, options=[("grpc.use_local_subchannel_pool", 1)])

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.settings.grpc_port}"

    def close(self) -> None:
        self.run(self.channel.close())
        super().close()

    def run(self, waiting: Awaitable[Result]) -> Result:
        async def waited() -> Result:
            return await asyncio.wait_for(waiting, PATIENCE_SECONDS)

        return self.runner.run(waited())

    def bearer(self, scopes: str = "predict read", **token: Any) -> Metadata:
        return [("authorization", self.token(scopes, **token)["authorization"])]

    def method(self, name: str, answer: Any = None, *, service: str = INFERENCE) -> Any:
        """A method to be called with a message, or with bytes as they are."""
        return self.channel.unary_unary(
            f"/{service}/{name}",
            request_serializer=lambda sent: sent if isinstance(sent, bytes) else sent.SerializeToString(),
            response_deserializer=(answer or ANSWERS[name]).FromString,
        )

    def call(self, name: str, message: Message | bytes, metadata: Metadata | None = None, **how: Any) -> Any:
        """What the method answers to a caller with a token, unless `metadata` says otherwise."""
        sent = self.bearer() if metadata is None else metadata

        async def called() -> Any:
            return await self.method(name)(message, metadata=sent, **how)

        return self.run(called())

    def refused(
        self, name: str, message: Message | bytes, metadata: Metadata | None = None, **how: Any
    ) -> Refused:
        """The same where it must be refused."""
        try:
            answer = self.call(name, message, metadata, **how)
        except aio.AioRpcError as error:
            return Refused(error)
        raise AssertionError(f"{name} was answered: {answer}")

    def infer(self, message: pb.ModelInferRequest, metadata: Metadata | None = None, **how: Any) -> Any:
        return self.call("ModelInfer", message, metadata, **how)


class Refused:
    """A status that is not OK, as a client sees it."""

    def __init__(self, error: aio.AioRpcError) -> None:
        self.code, self.message = error.code(), error.details()
        self.trailing: Mapping[str, Any] = {name: value for name, value in error.trailing_metadata()}

    @property
    def problem(self) -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads(self.trailing[PROBLEM])
        return found
