"""Starting, pinning and ending a server: its whole process tree on one core, and nothing of it left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from bench import proc
from bench.errors import BenchError

STOP_SECONDS = 20.0
IDLE_SHARE = 0.15
LOG_TAIL_CHARACTERS = 3000


def end_servers_at_sigterm() -> None:
    """Ended by a signal, a program of ours still ends the servers that it started."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


@dataclass(frozen=True, kw_only=True)
class Launch:
    """How a server is started. `environment` is complete: nothing is inherited but what is in it."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    log: Path
    core: int


@dataclass
class RunningServer:
    """A started server. Leaving the context ends every process that it ever was seen to have."""

    launch: Launch
    patience_seconds: float = STOP_SECONDS
    process: subprocess.Popen[bytes] = field(init=False)
    seen: dict[int, int] = field(init=False, default_factory=dict)

    def __enter__(self) -> RunningServer:
        self.launch.log.parent.mkdir(parents=True, exist_ok=True)
        with self.launch.log.open("wb") as log:
            self.process = subprocess.Popen(
                ["taskset", "-c", str(self.launch.core), *self.launch.command],
                env=dict(self.launch.environment),
                cwd=self.launch.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def tree(self) -> dict[int, proc.ProcessStat]:
        """The server's processes now. Remembered, so that one that loses its parent is still ended."""
        tree = proc.process_tree(self.process.pid)
        self.seen.update({pid: stat.started for pid, stat in tree.items()})
        return tree

    def check_alive(self) -> None:
        if (code := self.process.poll()) is not None:
            raise BenchError(f"{self.launch.name} ended with exit code {code}:\n{self.log_tail()}")

    def log_tail(self) -> str:
        return self.launch.log.read_text(errors="replace")[-LOG_TAIL_CHARACTERS:]

    def stop(self) -> None:
        """SIGTERM to the parent, as a person would end it; after a while SIGKILL to whatever is left."""
        self.tree()
        if self.process.poll() is None:
            self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(self.patience_seconds)
        self._wait_until_gone()
        for pid in self._left():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self._wait_until_gone()

    def _wait_until_gone(self) -> None:
        deadline = time.monotonic() + self.patience_seconds
        while self._left() and time.monotonic() < deadline:
            time.sleep(0.02)

    def _left(self) -> list[int]:
        """Ids that still belong to the processes seen, not to later ones that were given the same id."""
        stats = {pid: proc.read_stat(pid) for pid in self.seen}
        return [
            pid
            for pid, stat in stats.items()
            if stat is not None and stat.started == self.seen[pid] and not stat.zombie
        ]

    def settle(self, *, limit_seconds: float = 30.0, step_seconds: float = 0.2) -> None:
        """Waits until the server is idle: clients that left at a round's end leave requests behind."""
        deadline, before = time.monotonic() + limit_seconds, self._cpu_seconds()
        while time.monotonic() < deadline:
            time.sleep(step_seconds)
            now = self._cpu_seconds()
            if now - before < IDLE_SHARE * step_seconds:
                return
            before = now

    def _cpu_seconds(self) -> float:
        return sum(stat.cpu_seconds for stat in self.tree().values())


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
