"""Turns of the event loop for work of many rows, so that whoever asks for one row never waits for more than a slice of it.

A large request is a chain of slices, each a fraction of a millisecond. Between any two slices, whosever they are, the loop
goes round as often as a request for one row needs to get through; slices of several large requests come in the order in
which they were asked for, which lets the requests take turns.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Generator, Iterator
from typing import TypeVar

Result = TypeVar("Result")

SLICE_ROWS = 32
# From here on a request is watched for its client's departure, and what its bytes are is found out in turns.
LARGE_BODY_BYTES = 16 * 1024
# A miss: the model's turn and the log's, each with the turn in which its result arrives.
ROUNDS_BETWEEN = 4


class Turns:
    """Not thread-safe: belongs to one event loop."""

    def __init__(self, *, rounds_between: int = ROUNDS_BETWEEN) -> None:
        self._rounds_between = rounds_between
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._rounds_left = 0
        self._going_round = False

    async def next(self) -> None:
        """Returns when it is the caller's turn to run one slice."""
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting.append(turn)
        if not self._going_round:
            self._going_round = True
            loop.call_soon(self._round)
        await turn

    async def through(self, slices: Generator[None, None, Result]) -> Result:
        """What the generator returns; every `yield` of it is the end of a slice."""
        while True:
            await self.next()
            try:
                next(slices)
            except StopIteration as ended:
                result: Result = ended.value
                return result

    def _round(self) -> None:
        if self._rounds_left > 0:
            self._rounds_left -= 1
        else:
            self._give_turn()
        self._going_round = self._rounds_left > 0 or bool(self._waiting)
        if self._going_round:
            asyncio.get_running_loop().call_soon(self._round)

    def _give_turn(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():  # otherwise whoever waited was cancelled
                turn.set_result(None)
                self._rounds_left = self._rounds_between
                return


def at_once(slices: Generator[None, None, Result]) -> Result:
    """The same without a pause, for what is small."""
    while True:
        try:
            next(slices)
        except StopIteration as ended:
            result: Result = ended.value
            return result


def slices_of(size: int, rows: int = SLICE_ROWS) -> Iterator[slice]:
    """Consecutive slices that cover `size` rows."""
    return (slice(first, first + rows) for first in range(0, size, rows))
