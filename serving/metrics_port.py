"""`METRICS_PORT`: `/metrics` apart from the API, so that a NetworkPolicy can tell scrapers from clients."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import structlog

from serving.locks import hold_lock
from serving.metrics import scrape_registry

RETRY_SECONDS = 2.0


class MetricsPort:
    """Served by the one worker that holds the lock, with every worker's figures; the next takes over when it dies."""

    def __init__(self, lock_path: Path, address: tuple[str, int], registry: Any) -> None:
        self._lock_path, self._registry = lock_path, registry
        self._host, self._port = address
        self._log = structlog.get_logger("slipway.service")

    async def run(self) -> None:
        """Runs until cancelled."""
        with await hold_lock(self._lock_path):
            server, _ = await self._started()
            try:
                await asyncio.Event().wait()
            finally:
                server.shutdown()
                server.server_close()

    async def _started(self) -> tuple[Any, Any]:
        """The port may still belong to a worker that is going away: asks until it is free."""
        from prometheus_client import start_http_server

        while True:
            try:
                return start_http_server(
                    self._port, addr=self._host, registry=scrape_registry(self._registry)
                )
            except OSError as error:
                self._log.error("no metrics port", port=self._port, reason=str(error))
                await asyncio.sleep(RETRY_SECONDS)
