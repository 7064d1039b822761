"""`METRICS_PORT`: `/metrics` apart from the API, so that a NetworkPolicy can tell scrapers from clients."""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog

from serving.locks import hold_lock
from serving.metrics import scrape_registry


class MetricsPort:
    """Served by the one worker that holds the lock, with every worker's figures; the next takes over when it dies."""

    def __init__(self, lock_path: Path, port: int) -> None:
        self._lock_path, self._port = lock_path, port
        self._log = structlog.get_logger("slipway.service")

    async def run(self) -> None:
        """Runs until cancelled."""
        from prometheus_client import start_http_server

        lock = await hold_lock(self._lock_path)
        try:
            server, _ = start_http_server(self._port, registry=scrape_registry())
        except OSError as error:
            self._log.error("no metrics port", port=self._port, reason=str(error))
            return
        try:
            await asyncio.Event().wait()
        finally:
            server.shutdown()
            server.server_close()
            lock.close()
