"""A TCP proxy between the service and what it depends on, which breaks the way networks and hosts break."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Coroutine
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

CHUNK = 64 * 1024
PATIENCE_SECONDS = 10.0
RESET_ON_CLOSE = struct.pack("ii", 1, 0)

Upstream = tuple[str, int] | str  # an address, or the path of a Unix socket


@dataclass(frozen=True, kw_only=True)
class Toxic:
    """What the proxy does to everything that passes; without any of it, nothing."""

    latency_seconds: float = 0.0
    bytes_per_second: int = 0
    refuses: bool = False
    says_nothing: bool = False
    resets: bool = False
    deaf_after: bytes | None = None  # what was asked is passed on; from a question with this on, no answer is


class _Link:
    """One client's connection. What was swallowed once spoils the rest, so such a link never speaks again."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.spoilt = False
        self.deaf = False

    def reset(self) -> None:
        raw: socket.socket = self.writer.get_extra_info("socket")
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.writer.transport.abort()


class FaultyProxy(AbstractContextManager["FaultyProxy"]):
    """Listens on `port` of the loopback, in a thread of its own. Methods return once the change is in force."""

    def __init__(self, upstream: Upstream, *, counted: bytes = b"") -> None:
        """`count` says how many questions held `counted`, whatever became of them."""
        self._upstream, self._toxic = upstream, Toxic()
        self._counted, self.count = counted, 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="faulty proxy", daemon=True)
        self._links: set[_Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        self._now(self._listen())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._now(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_SECONDS)
        self._loop.close()

    def passes(self) -> None:
        """Everything is as if there were no proxy; links that were spoilt before stay so until a side closes them."""
        self._now(self._become(Toxic()))

    def latency(self, seconds: float) -> None:
        self._now(self._become(Toxic(latency_seconds=seconds)))

    def slow(self, bytes_per_second: int) -> None:
        self._now(self._become(Toxic(bytes_per_second=bytes_per_second)))

    def down(self) -> None:
        """Connections are refused, and those there were are reset."""
        self._now(self._become(Toxic(refuses=True)))

    def blackhole(self) -> None:
        """Connections are accepted, or stay open, and nothing is heard on them again."""
        self._now(self._become(Toxic(says_nothing=True)))

    def reset(self) -> None:
        """Each connection is reset as soon as it is made, and those there were are, too."""
        self._now(self._become(Toxic(resets=True)))

    def drop_replies(self, after: bytes = b"") -> None:
        """What is asked reaches the server; from a question that holds `after` on, no answer reaches the client."""
        self._now(self._become(Toxic(deaf_after=after)))

    def _now(self, change: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(change, self._loop).result(PATIENCE_SECONDS)

    async def _become(self, toxic: Toxic) -> None:
        self._toxic = toxic
        if toxic.refuses or toxic.resets:
            for link in list(self._links):
                link.reset()
        if toxic.refuses and self._server is not None:
            self._server.close()
            self._server = None
        elif not toxic.refuses and self._server is None:
            await self._listen()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(
            self._accept, "127.0.0.1", self.port, reuse_address=True, backlog=512
        )
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def _end(self) -> None:
        if self._server is not None:
            self._server.close()
        for link in list(self._links):
            link.reset()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        link = _Link(writer)
        self._links.add(link)
        try:
            await self._serve(reader, link)
        except (OSError, asyncio.CancelledError):  # a side is gone
            pass
        finally:
            writer.close()
            self._links.discard(link)
            self._tasks.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, link: _Link) -> None:
        if self._toxic.resets:
            link.reset()
            return
        if self._toxic.says_nothing:
            link.spoilt = True
            while await reader.read(CHUNK):
                pass
            return
        theirs, to_them = await self._connect()
        try:
            sides = {
                asyncio.ensure_future(self._pass_on(reader, to_them, link, asks=True)),
                asyncio.ensure_future(self._pass_on(theirs, link.writer, link, asks=False)),
            }
            try:
                await asyncio.wait(sides, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for side in sides:
                    side.cancel()
                await asyncio.gather(*sides, return_exceptions=True)
        finally:
            to_them.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._upstream, str):
            return await asyncio.open_unix_connection(self._upstream)
        return await asyncio.open_connection(*self._upstream)

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, link: _Link, *, asks: bool
    ) -> None:
        while chunk := await reader.read(CHUNK):
            toxic = self._toxic
            if asks:
                self.count += bool(self._counted) and self._counted in chunk
                link.deaf |= toxic.deaf_after is not None and toxic.deaf_after in chunk
            link.spoilt |= toxic.says_nothing
            if link.spoilt or (link.deaf and not asks):
                continue
            if toxic.latency_seconds and not asks:
                await asyncio.sleep(toxic.latency_seconds)
            if toxic.bytes_per_second:
                await asyncio.sleep(len(chunk) / toxic.bytes_per_second)
            writer.write(chunk)
            await writer.drain()
