"""The agent as a worker's child: started by one worker, restarted with back-off, ended by closing its standard input."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import structlog

from serving.locks import hold_lock
from serving.metrics import Metrics

PROJECT = Path(__file__).resolve().parent.parent
FIRST_BACKOFF_SECONDS, LONGEST_BACKOFF_SECONDS = 0.5, 30.0
STEADY_SECONDS = 30.0
STOP_SECONDS = 10.0
LOOK_SECONDS = 0.1
NICENESS = 10  # a tenth of a busy core: enough to follow an alias within its poll


class AgentProcess:
    """Every worker runs one of these; the one that gets the lock has the child, and the next takes over when it dies."""

    def __init__(self, lock_path: Path, environment: dict[str, str], metrics: Metrics) -> None:
        self._lock_path, self._environment, self._metrics = lock_path, environment, metrics
        self._child: subprocess.Popen[bytes] | None = None
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
        # Not asyncio's subprocess: libuv gives a child the default signal handlers back, after `preexec_fn`.
        self._child = child = subprocess.Popen(
            (sys.executable, "-m", "serving.agent", "--child"),
            stdin=subprocess.PIPE,
            cwd=PROJECT,
            env=self._environment,
            preexec_fn=_prepare_child,
        )
        self._metrics.agent_up.set(1)
        try:
            return await _ended(child)
        finally:
            self._metrics.agent_up.set(0)

    async def _stop_child(self) -> None:
        child = self._child
        if child is None or child.poll() is not None:
            return
        assert child.stdin is not None
        child.stdin.close()
        try:
            await asyncio.wait_for(_ended(child), STOP_SECONDS)
        except TimeoutError:
            child.kill()
            child.wait()


async def _ended(child: subprocess.Popen[bytes]) -> int:
    while (code := child.poll()) is None:
        await asyncio.sleep(LOOK_SECONDS)
    return code


def _prepare_child() -> None:
    """Runs in the child before Python starts there.

    What a request needs goes before the agent, its imports too. And the agent outlives the signals that end the whole
    group: its worker still has records to hand over, and closes its standard input when it is done.
    """
    os.nice(NICENESS)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
