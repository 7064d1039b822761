"""The program behind `tests.faults.load`: asks when it is due, whether or not the answers before have come.

A process of its own, so that what a scenario does meanwhile delays no request. Reads an `Order` from stdin, says on stdout
when it begins, and writes `Seen` to the file that the order names.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any

import msgspec

from tests.e2e.rows import iris_row
from tests.faults.seen import Order, Sample, Seen

KNOWN_ROWS = 200
MOST_CONNECTIONS = 256
END_SECONDS = 15.0


class Asked(msgspec.Struct):
    """A request on its way: when it should have left, and its text."""

    due: float
    text: bytes
    request_id: str
    row: int  # of the known ones; -1: a new one


class Caller(asyncio.Protocol):
    """A keep-alive connection with one request at a time."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        self._received = bytearray()
        self._asked: Asked | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def ask(self, asked: Asked) -> None:
        assert self._transport is not None
        self._asked = asked
        self._transport.write(asked.text)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, body = bytes(self._received).partition(b"\r\n\r\n")
        if not separator:
            return
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        if len(body) < int(fields.get(b"content-length", b"0")):
            return
        self._received.clear()
        asked, self._asked = self._asked, None
        if asked is not None:
            self._generator.answered(asked, int(head[9:12]), body)
        if fields.get(b"connection") == b"close":
            self.close()
        else:
            self._generator.free(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._generator.gone(self)
        if self._asked is not None:
            self._generator.answered(self._asked, 0, b"")
            self._asked = None

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class Generator:
    """Requests at the order's rate for its time; with a rate of 0 as many as `connections` take, for measuring."""

    def __init__(self, order: Order) -> None:
        self._order, self._chance = order, random.Random(order.seed)
        self._idle: list[Caller] = []
        self._waiting: deque[Asked] = deque()
        self._connections = self._outstanding = self._number = 0
        self._opening: set[asyncio.Task[None]] = set()
        self._said: dict[int, tuple[Any, Any]] = {}
        self.samples: list[Sample] = []
        self.contradictions = 0

    async def run(self) -> Seen:
        begin = time.monotonic()
        end = begin + self._order.seconds
        if self._order.rate:
            await self._at_its_rate(begin, end)
        else:
            await self._as_fast_as_possible(end)
        give_up_at = time.monotonic() + END_SECONDS
        while self._outstanding and time.monotonic() < give_up_at:
            await asyncio.sleep(0.02)
        return Seen(
            begin=begin,
            samples=self.samples,
            never_answered=self._outstanding,
            contradictions=self.contradictions,
        )

    async def _at_its_rate(self, begin: float, end: float) -> None:
        due = begin
        while due < end:
            if (pause := due - time.monotonic()) > 0:
                await asyncio.sleep(pause)
            self._send(self._next(due))
            due += self._chance.expovariate(self._order.rate)

    async def _as_fast_as_possible(self, end: float) -> None:
        while time.monotonic() < end:
            while self._outstanding < self._order.connections:
                self._send(self._next(time.monotonic()))
            await asyncio.sleep(0)

    def _next(self, due: float) -> Asked:
        number = self._chance.randrange(KNOWN_ROWS) if self._chance.random() < self._order.known_share else -1
        model, row = iris_row(self._chance if number < 0 else random.Random(number))
        request_id = f"{self._order.prefix}{self._number}"
        self._number += 1
        body = msgspec.json.encode(row)
        head = (
            f"POST /predict/{model} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self._order.token}\r\n"
            f"Content-Type: application/json\r\nX-Request-ID: {request_id}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return Asked(due, head.encode() + body, request_id, number)

    def _send(self, asked: Asked) -> None:
        self._outstanding += 1
        if self._idle:
            self._idle.pop().ask(asked)
            return
        self._waiting.append(asked)
        if self._connections < MOST_CONNECTIONS:
            self._connections += 1
            task = asyncio.ensure_future(self._open())
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, caller = await loop.create_connection(lambda: Caller(self), "127.0.0.1", self._order.port)
        except OSError:  # refused: whoever waited for this connection has no answer
            self._connections -= 1
            if self._waiting:
                self.answered(self._waiting.popleft(), 0, b"")
            return
        self.free(caller)

    def free(self, caller: Caller) -> None:
        if self._waiting:
            caller.ask(self._waiting.popleft())
        else:
            self._idle.append(caller)

    def gone(self, caller: Caller) -> None:
        self._connections -= 1
        if caller in self._idle:
            self._idle.remove(caller)

    def answered(self, asked: Asked, status: int, body: bytes) -> None:
        self._outstanding -= 1
        now = time.monotonic()
        told, code = (self._read(asked, body), "") if status == 200 else ("", _code(body))
        self.samples.append(Sample(asked.due, now - asked.due, status, asked.request_id, told, code))

    def _read(self, asked: Asked, body: bytes) -> str:
        """The prediction id. The same row has the same answer, whoever gave it."""
        answer = msgspec.json.decode(body)
        if asked.row >= 0:
            said = (answer["prediction"], answer.get("probabilities"))
            self.contradictions += self._said.setdefault(asked.row, said) != said
        return str(answer["prediction_id"])


def _code(body: bytes) -> str:
    try:
        return str(msgspec.json.decode(body).get("code", ""))
    except (msgspec.DecodeError, AttributeError):
        return ""


def main() -> None:
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    sys.stdout.write("begins\n")
    sys.stdout.flush()
    seen = asyncio.run(Generator(order).run())
    Path(order.answer_file).write_bytes(msgspec.msgpack.encode(seen))


if __name__ == "__main__":
    main()
