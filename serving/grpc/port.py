"""`GRPC_PORT`: the gRPC server as background work of a worker. Where it is 0 nothing of gRPC is imported."""

from __future__ import annotations

import asyncio
import importlib
import os
from typing import TYPE_CHECKING

import structlog

from serving.grpc.parts import GrpcParts

if TYPE_CHECKING:
    from serving.grpc.server import GrpcServer

RETRY_SECONDS = 2.0
MOST_GRACE_SECONDS = 20.0


class GrpcPort:
    """`run` opens the port once the models are loaded; `close` goes before the prediction log's end."""

    def __init__(self, parts: GrpcParts, address: tuple[str, int]) -> None:
        host, port = address
        self._parts, self._port = parts, port
        self._address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._server: GrpcServer | None = None
        self._log = structlog.get_logger("slipway.service")

    def unready(self) -> str:
        """Why nobody can call yet, empty when the port is open."""
        return "" if self._server is not None else "the gRPC port is not open yet"

    async def run(self) -> None:
        """Runs until cancelled."""
        # Whom we start has a program of its own: without this the library writes a line at each start.
        os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
        module = await asyncio.to_thread(importlib.import_module, "serving.grpc.server")
        while self._server is None:
            server: GrpcServer = module.GrpcServer(self._parts, self._address)
            try:
                await server.start()
            except RuntimeError:  # it may still belong to a worker that is going away
                self._log.error("no gRPC port", port=self._port)
                await asyncio.sleep(RETRY_SECONDS)
            else:
                self._server = server
        await asyncio.Event().wait()

    async def close(self) -> None:
        """Nobody new comes in; who is there gets an answer."""
        if self._server is not None:
            await self._server.stop(min(self._parts.limits.request_timeout_seconds, MOST_GRACE_SECONDS))
