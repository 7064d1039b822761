"""Coalescing: everything that arrives in one turn of the event loop goes through one call.

Used three times: cache look-ups become one MGET, rows become one model call, log records that must be on disk one sync.
Nothing waits for company: a lone item is flushed in the next turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

Flush = Callable[[list[Item]], Sequence[Result | Exception] | Awaitable[Sequence[Result | Exception]]]


class Coalescer(Generic[Item, Result]):
    """Collects items and gives each its result of `flush`, at most `max_items` at a time.

    `flush` answers one result per item, in order; an exception among them fails its item alone, and one that is
    raised fails every item of that turn. With `one_at_a_time`, items that arrive while an asynchronous flush is under
    way wait for its end and go together: fewer, fuller calls under load, and no wait without it.
    """

    def __init__(self, flush: Flush[Item, Result], *, max_items: int, one_at_a_time: bool = False) -> None:
        self._flush = flush
        self._max_items = max_items
        self._one_at_a_time = one_at_a_time
        self._items: list[Item] = []
        self._futures: list[asyncio.Future[Result]] = []
        self._scheduled = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._running: set[asyncio.Task[None]] = set()

    def submit(self, item: Item) -> asyncio.Future[Result]:
        loop = self._loop
        if loop is None:  # asked for once: Python 3.11 makes a system call of it each time
            loop = self._loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._items.append(item)
        self._futures.append(future)
        self._schedule()
        return future

    def _schedule(self) -> None:
        if self._items and not self._scheduled and not (self._one_at_a_time and self._running):
            assert self._loop is not None
            self._scheduled = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        items, futures = self._items[: self._max_items], self._futures[: self._max_items]
        del self._items[: self._max_items], self._futures[: self._max_items]
        self._scheduled = False
        try:
            results = self._flush(items)
        except Exception as error:
            _fail(futures, error)
        else:
            if isinstance(results, Awaitable):
                task = asyncio.ensure_future(self._finish(results, futures))
                self._running.add(task)
                task.add_done_callback(self._finished)
            else:
                _settle(futures, results)
        self._schedule()

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._schedule()

    async def _finish(
        self, results: Awaitable[Sequence[Result | Exception]], futures: list[asyncio.Future[Result]]
    ) -> None:
        try:
            _settle(futures, await results)
        except Exception as error:
            _fail(futures, error)


def _settle(futures: list[asyncio.Future[Result]], results: Sequence[Result | Exception]) -> None:
    for future, result in zip(futures, results, strict=True):
        if future.done():
            continue
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)


def _fail(futures: list[asyncio.Future[Result]], error: Exception) -> None:
    for future in futures:
        if not future.done():
            future.set_exception(error)
