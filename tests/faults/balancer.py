"""What stands before pods in a cluster: new connections go to one of those that were ready a moment ago.

Like kube-proxy it knows connections, not requests: whoever is connected stays with his pod until one of them closes.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

CHUNK = 64 * 1024
LOOK_SECONDS = 0.1
PROBE_SECONDS = 2.0
PATIENCE_SECONDS = 30.0
PROBE = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


class Pod:
    """One of those behind the balancer. `chosen` follows `/readyz`, late."""

    def __init__(self, port: int) -> None:
        self.port, self.chosen = port, False
        self.connections = 0
        self._seen: list[tuple[float, bool]] = []

    def seen(self, ready: bool, *, lag: float) -> None:
        """Takes what the probe said, and acts on what one said `lag` seconds ago."""
        now = time.monotonic()
        self._seen.append((now, ready))
        while self._seen and self._seen[0][0] <= now - lag:
            self.chosen = self._seen.pop(0)[1]


class Balancer(AbstractContextManager["Balancer"]):
    """Listens on `port` of the loopback, in a thread of its own. `lag` is how late it acts on what it sees."""

    def __init__(self, ports: Sequence[int], *, lag: float) -> None:
        self.pods = [Pod(port) for port in ports]
        self._lag, self._turns = lag, itertools.count()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="balancer", daemon=True)
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(PATIENCE_SECONDS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(PATIENCE_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_SECONDS)
        self._loop.close()

    async def _start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, backlog=512)
        self.port = int(self._server.sockets[0].getsockname()[1])
        for pod in self.pods:
            self._keep(asyncio.ensure_future(self._look_at(pod)))

    async def _end(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _look_at(self, pod: Pod) -> None:
        while True:
            pod.seen(await _is_ready(pod.port), lag=self._lag)
            await asyncio.sleep(LOOK_SECONDS)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._keep(task)
        with contextlib.suppress(OSError, asyncio.CancelledError):  # a side is gone
            await self._splice(reader, writer)
        writer.close()

    async def _splice(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        chosen = [pod for pod in self.pods if pod.chosen]
        if not chosen:
            return
        pod = chosen[next(self._turns) % len(chosen)]
        theirs, to_them = await asyncio.open_connection("127.0.0.1", pod.port)
        pod.connections += 1
        sides = {asyncio.ensure_future(_pass_on(*pair)) for pair in ((reader, to_them), (theirs, writer))}
        try:
            await asyncio.wait(sides, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for side in sides:
                side.cancel()
            await asyncio.gather(*sides, return_exceptions=True)
            to_them.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(CHUNK):
        writer.write(chunk)
        await writer.drain()


async def _is_ready(port: int) -> bool:
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(PROBE)
                return (await reader.readline()).split()[1:2] == [b"200"]
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
