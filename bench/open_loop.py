"""Open-loop load: requests leave when they are due, however long the answers take, and latency counts from when each was due.

A generator that waits for answers slows down with the server and hides what it does to everybody else (coordinated omission). It
runs in a process of its own, on a core of its own.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import cast

import msgspec

from bench.bodies import filled
from bench.errors import BenchError
from bench.load import Target, request_head

MOST_CONNECTIONS = 1000
STEP_SECONDS = 0.001
LAST_SECONDS = 10.0


class Exchanged(msgspec.Struct, frozen=True, array_like=True):
    """A request: when it was due, in seconds from the start, how long its answer took, and the answer's status; 0 without."""

    due: float
    seconds: float
    status: int


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """One caller's requests: `rate` a second, by chance (Poisson), from second `after` to `until`, if not to the load's end."""

    target: Target
    rate: float
    first: int
    after: float = 0.0
    until: float | None = None


@dataclass(slots=True)
class _Due:
    at: float
    request: bytes


class _Caller:
    """Its connections: as many as are needed, each with one request at a time."""

    def __init__(self, stream: Stream, seconds: float, seed: int) -> None:
        self._target, self._head = stream.target, request_head(stream.target)
        self.due = _schedule(stream, seconds, random.Random(seed), self._head)
        self.done: list[Exchanged] = []
        self._waiting: deque[_Due] = deque()
        self._free: list[_Wire] = []
        self._wires = 0
        self._started = 0.0

    async def run(self, started: float) -> None:
        self._started = started
        wanted = len(self.due)
        while self.due:
            now = time.perf_counter() - started
            while self.due and self.due[0].at <= now:
                await self._send(self.due.popleft())
            await asyncio.sleep(STEP_SECONDS)
        deadline = time.perf_counter() + LAST_SECONDS
        while len(self.done) < wanted and time.perf_counter() < deadline:
            await asyncio.sleep(0.01)
        missing = wanted - len(self.done)
        self.done += [Exchanged(0.0, LAST_SECONDS, 0)] * missing

    async def _send(self, due: _Due) -> None:
        if self._free:
            self._free.pop().send(due)
        elif self._wires < MOST_CONNECTIONS:
            self._wires += 1
            loop = asyncio.get_running_loop()
            _, wire = await loop.create_connection(lambda: _Wire(self), "127.0.0.1", self._target.port)
            wire.send(due)
        else:  # the server holds all of them: whoever is due waits, and the wait is in his latency
            self._waiting.append(due)

    def answered(self, wire: _Wire, due: _Due, status: int) -> None:
        self.done.append(Exchanged(due.at, time.perf_counter() - self._started - due.at, status))
        if wire.lost:
            self._wires -= 1
        elif self._waiting:
            wire.send(self._waiting.popleft())
        else:
            self._free.append(wire)

    def lost(self, wire: _Wire) -> None:
        if wire in self._free:
            self._free.remove(wire)
            self._wires -= 1


class _Wire(asyncio.Protocol):
    """One keep-alive connection."""

    def __init__(self, caller: _Caller) -> None:
        self._caller, self._buffer, self.lost = caller, b"", False
        self._due: _Due | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one without saying so

    def send(self, due: _Due) -> None:
        assert self._transport is not None, "sent before the connection was there"
        self._due, self._buffer = due, b""
        self._transport.write(due.request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        if end and self._due is not None and len(body) >= _length(head):
            due, self._due = self._due, None
            self._caller.answered(self, due, int(head[9:12]))

    def connection_lost(self, error: Exception | None) -> None:
        self.lost = True
        due, self._due = self._due, None
        if due is None:
            self._caller.lost(self)
        else:
            self._caller.answered(self, due, 0)


def _length(head: bytes) -> int:
    _, _, rest = head.lower().partition(b"content-length:")
    return int(rest.split(b"\r\n", 1)[0])


def _schedule(stream: Stream, seconds: float, chance: random.Random, head: str) -> deque[_Due]:
    due, number = deque[_Due](), stream.first
    at = stream.after + chance.expovariate(stream.rate)
    while at < (seconds if stream.until is None else stream.until):
        body = filled(stream.target.template, number)
        due.append(_Due(at, f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()))
        at, number = at + chance.expovariate(stream.rate), number + 1
    return due


def open_load(
    streams: Sequence[Stream], *, seconds: float, core: int, seed: int = 1
) -> list[list[Exchanged]]:
    """What became of each stream's requests, from a process of its own."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_loaded, args=(theirs, list(streams), seconds, core, seed), daemon=True)
    process.start()
    try:
        if not ours.poll(seconds + 3 * LAST_SECONDS + seconds):
            raise BenchError("the load did not end")
        found: list[list[Exchanged]] = msgspec.msgpack.decode(ours.recv_bytes(), type=list[list[Exchanged]])
    finally:
        process.kill()
        process.join()
    return found


def _loaded(pipe: Connection, streams: list[Stream], seconds: float, core: int, seed: int) -> None:
    import uvloop

    os.sched_setaffinity(0, {core})
    callers = [_Caller(stream, seconds, seed + place) for place, stream in enumerate(streams)]

    async def all_of_them() -> None:
        started = time.perf_counter() + 0.1
        await asyncio.gather(*(caller.run(started) for caller in callers))

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(all_of_them())
    pipe.send_bytes(msgspec.msgpack.encode([caller.done for caller in callers]))
