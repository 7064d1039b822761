"""The agent as a worker's child: started by one worker, restarted with back-off, ended by closing its standard input."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import structlog

from serving.locks import hold_lock
from serving.metrics import Metrics

PROJECT = Path(__file__).resolve().parent.parent
FIRST_BACKOFF_SECONDS, LONGEST_BACKOFF_SECONDS = 0.5, 30.0
STEADY_SECONDS = 30.0
STOP_SECONDS = 10.0


class AgentProcess:
    """Every worker runs one of these; the one that gets the lock has the child, and the next takes over when it dies."""

    def __init__(self, lock_path: Path, environment: dict[str, str], metrics: Metrics) -> None:
        self._lock_path, self._environment, self._metrics = lock_path, environment, metrics
        self._child: asyncio.subprocess.Process | None = None
        self._log = structlog.get_logger("slipway.service")

    async def run(self) -> None:
        """Runs until cancelled; then lets the child ship what is left."""
        lock = await hold_lock(self._lock_path)
        backoff = FIRST_BACKOFF_SECONDS
        try:
            while True:
                started = asyncio.get_running_loop().time()
                code = await self._run_child()
                lived = asyncio.get_running_loop().time() - started
                backoff = FIRST_BACKOFF_SECONDS if lived > STEADY_SECONDS else backoff
                self._log.error("agent ended", exit_code=code, restart_in_seconds=backoff)
                await asyncio.sleep(backoff)
                backoff = min(backoff * 2, LONGEST_BACKOFF_SECONDS)
        finally:
            await self._stop_child()
            lock.close()

    async def _run_child(self) -> int:
        self._child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "serving.agent",
            "--child",
            stdin=asyncio.subprocess.PIPE,
            cwd=PROJECT,
            env=self._environment,
        )
        self._metrics.agent_up.set(1)
        try:
            return await self._child.wait()
        finally:
            self._metrics.agent_up.set(0)

    async def _stop_child(self) -> None:
        child = self._child
        if child is None or child.returncode is not None:
            return
        assert child.stdin is not None
        child.stdin.close()
        try:
            await asyncio.wait_for(child.wait(), STOP_SECONDS)
        except TimeoutError:
            child.kill()
