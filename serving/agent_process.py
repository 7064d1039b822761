"""The agent as a worker's child: started by one worker, restarted with back-off when it ends or hangs, and ended by closing
its standard input.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import structlog

from serving.heartbeat import Heartbeat
from serving.lifecycle.writers import Writers
from serving.locks import hold_lock

PROJECT = Path(__file__).resolve().parent.parent
FIRST_BACKOFF_SECONDS, LONGEST_BACKOFF_SECONDS = 0.5, 30.0
STEADY_SECONDS = 30.0
STOP_SECONDS = 10.0
LOOK_SECONDS = 0.1
HANGS_SECONDS = 60.0  # without a heartbeat; its imports, at a tenth of a core, take half of that
NICENESS = 10  # a tenth of a busy core: enough to follow an alias within its poll


class AgentProcess:
    """Every worker runs one of these; the one that gets the lock has the child, and the next takes over when it dies."""

    def __init__(
        self,
        lock_path: Path,
        environment: dict[str, str],
        agent_up: Any,
        *,
        heartbeat: Heartbeat,
        writers: Writers,
    ) -> None:
        """`agent_up` is a gauge: 1 while the child's heart beats."""
        self._lock_path, self._environment, self._agent_up = lock_path, environment, agent_up
        self._heartbeat, self._writers = heartbeat, writers
        self._child: subprocess.Popen[bytes] | None = None
        self._log = structlog.get_logger("slipway.service")
        self.hangs_seconds = HANGS_SECONDS

    async def run(self) -> None:
        """Runs until cancelled; then lets the child ship what is left, of all workers."""
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
        self._heartbeat.end()  # that of the one before says nothing of this one
        self._child = child = subprocess.Popen(
            (sys.executable, "-m", "serving.agent", "--child"),
            stdin=subprocess.PIPE,
            cwd=PROJECT,
            env=self._environment,
            preexec_fn=_prepare_child,
        )
        try:
            return await self._watched(child)
        finally:
            self._agent_up.set(0.0)

    async def _watched(self, child: subprocess.Popen[bytes]) -> int:
        """Its exit code. Looks are counted and not time: what stood still together with us does not hang."""
        silent = 0
        while (code := child.poll()) is None:
            beats = self._heartbeat.is_fresh()
            self._agent_up.set(float(beats))
            silent = 0 if beats else silent + 1
            if silent * LOOK_SECONDS >= self.hangs_seconds:
                self._log.error("agent hangs", seconds=self.hangs_seconds)
                child.kill()
                silent = 0
            await asyncio.sleep(LOOK_SECONDS)
        _close_input(child)
        return code

    async def _stop_child(self) -> None:
        child = self._child
        if child is None:
            return
        if child.poll() is None:
            await self._writers.gone()
        _close_input(child)
        try:
            await asyncio.wait_for(_ended(child), STOP_SECONDS)
        except TimeoutError:
            child.kill()
            child.wait()


def _close_input(child: subprocess.Popen[bytes]) -> None:
    assert child.stdin is not None
    child.stdin.close()


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
