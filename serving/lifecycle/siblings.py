"""Whether all workers of the replica run: in a container BentoML never starts a dead one again, and the others answer the
probes as if nothing had happened. With one worker there is nothing to watch: the container ends with it.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

PROC = Path("/proc")
LOOK_SECONDS = 1.0
START_SECONDS = 30.0  # by then BentoML has started every worker


class Siblings:
    """`missing` is a plain flag for the liveness probe; `look` refreshes it, and has the figures of the dead forgotten."""

    def __init__(self, workers: int, *, forget_the_dead: Callable[[], None], proc: Path = PROC) -> None:
        self._workers, self._proc, self._forget_the_dead = workers, proc, forget_the_dead
        self._complete_by = time.monotonic() + START_SECONDS
        self.missing = False

    def look(self) -> None:
        alive = self._alive(os.getppid(), os.getpid())
        if alive is None:
            self.missing = False
            return
        if alive >= self._workers:
            self._complete_by = 0.0
        self.missing = alive < self._workers and time.monotonic() > self._complete_by
        if alive < self._workers:
            self._forget_the_dead()

    async def run(self) -> None:
        """Runs until cancelled."""
        while self._workers > 1:
            self.look()
            await asyncio.sleep(LOOK_SECONDS)

    def _alive(self, parent: int, own: int) -> int | None:
        """How many children of the parent run what we run; None where the kernel does not say."""
        try:
            lists = (self._proc / str(parent) / "task").glob("*/children")
            children = {int(pid) for path in lists for pid in path.read_text().split()}
            program = self._program(own)
        except OSError:
            return None
        if own not in children or not program:
            return None
        return sum(self._program(pid) == program for pid in children)

    def _program(self, pid: int) -> list[bytes]:
        """Interpreter and module; nothing of a process that is gone, or waits to be asked for its exit code."""
        try:
            return (self._proc / str(pid) / "cmdline").read_bytes().split(b"\0")[:3]
        except OSError:
            return []
