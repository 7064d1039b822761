"""The program behind a soak's load: open loop, over connections that stay the same, remembering figures and no requests.

Reads an `Order` from stdin, writes `Asked` to the file that it names.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

import msgspec

from tests.faults.generator import Asked as Request
from tests.faults.generator import Caller, Generator
from tests.faults.seen import Order
from tests.soak.asking import any_question

SLICE_SECONDS = 60.0
MOST_KEPT = 20_000


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """`outcomes` by "kind status"; `wrong` are those with another status than the right one. `p99` by minute, in ms."""

    outcomes: dict[str, int]
    wrong: dict[str, int]
    p99: list[float]
    never_answered: int


class EvenSample:
    """At most `most` of the values that it is given, each with the same chance whenever it came."""

    def __init__(self, most: int, chance: random.Random) -> None:
        self._most, self._chance, self._given = most, chance, 0
        self.kept: list[float] = []

    def add(self, value: float) -> None:
        self._given += 1
        if len(self.kept) < self._most:
            self.kept.append(value)
        elif (place := self._chance.randrange(self._given)) < self._most:
            self.kept[place] = value

    @property
    def p99_ms(self) -> float:
        ordered = sorted(self.kept)
        return ordered[int(len(ordered) * 0.99)] * 1000 if ordered else 0.0


class MixedGenerator(Generator):
    """Latencies of single rows, a random sample of each slice of time."""

    def __init__(self, order: Order) -> None:
        super().__init__(order)
        self._kinds: dict[str, tuple[str, int]] = {}
        sampling = random.Random(order.seed)
        self._latencies: defaultdict[int, EvenSample] = defaultdict(lambda: EvenSample(MOST_KEPT, sampling))
        self._begin = time.monotonic()
        self.outcomes: Counter[str] = Counter()
        self.wrong: Counter[str] = Counter()

    async def asked(self) -> Asked:
        await asyncio.gather(*(self._open() for _ in range(self._order.connections)))
        self._connections = self._order.connections
        seen = await self.run()
        return Asked(
            outcomes=dict(self.outcomes),
            wrong=dict(self.wrong),
            p99=[self._latencies[number].p99_ms for number in sorted(self._latencies)],
            never_answered=seen.never_answered,
        )

    def _next(self, due: float) -> Request:
        question = any_question(self._chance)
        request_id = f"{self._order.prefix}{self._number}"
        self._number += 1
        self._kinds[request_id] = question.kind, question.expected
        return Request(due, question.text(self._order.token), request_id, -1)

    def _send(self, asked: Request) -> None:
        self._outstanding += 1
        if self._idle:
            self._idle.pop().ask(asked)
            return
        self._waiting.append(asked)
        if self._connections < self._order.connections:  # one was closed: another in its place
            self._connections += 1
            task = asyncio.ensure_future(self._open())
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    def gone(self, caller: Caller) -> None:
        super().gone(caller)
        if self._waiting:
            self._send_next()

    def _send_next(self) -> None:
        self._outstanding -= 1
        self._send(self._waiting.popleft())

    def answered(self, asked: Request, status: int, body: bytes) -> None:
        self._outstanding -= 1
        kind, expected = self._kinds.pop(asked.request_id)
        self.outcomes[f"{kind} {status}"] += 1
        if status != expected:
            self.wrong[f"{kind} {status}"] += 1
        if kind == "valid":
            self._latencies[int((asked.due - self._begin) // SLICE_SECONDS)].add(time.monotonic() - asked.due)


def main() -> None:
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    random.seed(order.seed)
    asked = asyncio.run(MixedGenerator(order).asked())
    Path(order.answer_file).write_bytes(msgspec.msgpack.encode(asked))


if __name__ == "__main__":
    main()
