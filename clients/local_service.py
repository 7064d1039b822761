"""The service as a child process, for programs that need one for a while and must not leave it behind."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Self

SERVE = (sys.executable, "-m", "serving")
STOP_SECONDS = 20


class ServiceFailed(Exception):
    """The service did not start, or did not stay."""


class LocalService(AbstractContextManager["LocalService"]):
    """`python -m serving`, its output in a file; stopped, by its process id, when the context ends."""

    def __init__(self, log: Path, *, host: str, port: int, command: Sequence[str] = SERVE) -> None:
        self.log = log
        self._command = command
        self._address = (host, port)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        if self._port_is_taken():
            raise ServiceFailed(
                f"port {self._address[1]} is in use by another program; stop it, or choose another: API_PORT=8001"
            )
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(self._command, stdout=output, stderr=subprocess.STDOUT)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def wait_until(self, ready: Callable[[], bool], *, seconds: float) -> None:
        """Returns once `ready()`; raises ServiceFailed when the service ends first or takes too long."""
        assert self._process is not None
        deadline = time.monotonic() + seconds
        while not ready():
            if self._process.poll() is not None:
                raise ServiceFailed(f"the service ended with exit code {self._process.returncode}")
            if time.monotonic() > deadline:
                raise ServiceFailed(f"the service was not ready after {seconds:.0f} seconds")
            time.sleep(0.1)

    def log_tail(self, lines: int = 25) -> str:
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _port_is_taken(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(self._address) == 0
