"""Many clients at once that keep a service waiting, and one beside them that only wants its answers."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.hostile.wire import Line

DRIP_SECONDS = 0.4
PATIENCE_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Ended:
    """What a client was told until its connection was ended, and after how long; None: it never was."""

    said: bytes
    seconds: float | None


def crowd(port: int, count: int, first: bytes, drip: bytes = b"") -> list[Ended]:
    """So many clients that send `first`, then `drip` again and again until the service ends it."""

    async def all_of_them() -> list[Ended]:
        return await asyncio.gather(*[_one(port, first, drip) for _ in range(count)])

    return asyncio.run(all_of_them())


async def _one(port: int, first: bytes, drip: bytes) -> Ended:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    began, said = time.monotonic(), b""
    dripping = asyncio.create_task(_drip(writer, first, drip))
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while piece := await reader.read(1 << 16):
                said += piece
        return Ended(said, time.monotonic() - began)
    except ConnectionError:
        return Ended(said, time.monotonic() - began)
    except TimeoutError:
        return Ended(said, None)
    finally:
        dripping.cancel()
        await asyncio.gather(dripping, return_exceptions=True)
        writer.transport.abort()


async def _drip(writer: asyncio.StreamWriter, first: bytes, drip: bytes) -> None:
    with contextlib.suppress(ConnectionError):
        writer.write(first)
        while drip:
            await writer.drain()
            await asyncio.sleep(DRIP_SECONDS if len(drip) < 100 else 0)
            writer.write(drip)


def deaf(port: int, count: int, questions: bytes, *, seconds: float) -> list[bool]:
    """Clients that ask and do not read for so long; whether the service has ended each by then."""
    sockets = []
    for _ in range(count):
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", port))
        connection.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            connection.send(questions)
        sockets.append(connection)
    time.sleep(seconds)
    return [_was_ended(connection) for connection in sockets]


def _was_ended(connection: socket.socket) -> bool:
    """Reads what is left in the kernel. What a service that still writes would send goes on and on."""
    with connection:
        try:
            for _ in range(10_000):
                if not connection.recv(1 << 16):
                    return True
        except BlockingIOError:
            return False
        except ConnectionError:
            return True
    return False


@dataclass(slots=True)
class Bystander:
    """Asks again and again. `statuses` are what it was answered, `errors` what went wrong with its connection."""

    statuses: set[int] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)
    asked: int = 0


@contextmanager
def bystander(port: int, question: bytes, *, to: str = "POST") -> Iterator[Bystander]:
    seen, done = Bystander(), threading.Event()
    thread = threading.Thread(target=_go_on_asking, args=(port, question, to, seen, done.is_set))
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


def _go_on_asking(port: int, question: bytes, to: str, seen: Bystander, is_over: Callable[[], bool]) -> None:
    with Line(port) as line:
        while not is_over():
            try:
                seen.statuses.add(line.ask(question, to=to).status)
            except (AssertionError, OSError) as error:
                seen.errors.append(repr(error))
                line.close()
            seen.asked += 1
            time.sleep(0.02)
