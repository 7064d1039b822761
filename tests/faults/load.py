"""Open-loop load on a served instance: latency counts from when a request should have left, so a stall is seen whole."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from tests.architecture.source_tree import ROOT
from tests.e2e.running_service import RunningService
from tests.faults.seen import Order, Seen

END_SECONDS = 60.0


class OpenLoad:
    """Has begun once it is made, and lasts for `seconds`; `seen` waits for its end."""

    def __init__(
        self, service: RunningService, *, rate: float, seconds: float, prefix: str, token: str = ""
    ) -> None:
        self._seconds = seconds
        self._folder = tempfile.TemporaryDirectory(prefix="slipway-load-")
        self._answer = Path(self._folder.name) / "seen"
        order = Order(
            port=service.api_port,
            token=token or service.token(),
            rate=rate,
            seconds=seconds,
            prefix=prefix,
            answer_file=str(self._answer),
        )
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.generator"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(order))
        self._process.stdin.close()
        with self._process.stdout as said:
            said.readline()

    def seen(self) -> Seen:
        try:
            code = self._process.wait(self._seconds + END_SECONDS)
            assert code == 0, f"the load generator ended with {code}"
            return msgspec.msgpack.decode(self._answer.read_bytes(), type=Seen)
        finally:
            self.stop()

    def stop(self) -> None:
        """Whatever it was doing; nothing is left of it."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()
