"""Requests whose body is on its way: they hold no place of those that can be answered, and together only so much memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from modelkit.errors import RequestTimeout
from serving.metrics import Metrics
from serving.overload.control import IN_FLIGHT, Overload

# So many of the largest bodies may be on their way at a time, or more of smaller ones.
LARGEST = 32
CLOSE = ("connection", "close")


class Uploads:
    """One per worker. A body counts with what has come of it, and at least with its share of `most_bytes` by number.

    Where there is no room the oldest makes it: whoever sends his body at once is through before his turn comes.
    """

    def __init__(
        self, overload: Overload, metrics: Metrics, *, max_in_flight: int, most: int, most_bytes: int
    ) -> None:
        self._overload, self._metrics, self._max_in_flight = overload, metrics, max_in_flight
        self._most_bytes, self._least = most_bytes, most_bytes // most
        self._held: dict[asyncio.Timeout, int] = {}
        self._bytes = 0

    @asynccontextmanager
    async def place(self, seconds: float) -> AsyncIterator[Callable[[int], None]]:
        """For a request in flight to wait for its body, which says how much of it has come. Raises RequestTimeout.

        Who made room may still be sending, and would meet a reset before he has read why: his connection does not end.
        """
        self._metrics.in_flight -= 1
        try:
            async with asyncio.timeout(seconds) as timer:
                self._held[timer] = 0
                self._hold(timer, self._least)
                yield partial(self._hold, timer)
        except TimeoutError:
            raise RequestTimeout(headers=[CLOSE] if timer in self._held else []) from None
        finally:
            self._forget(timer)
            self._metrics.in_flight += 1

    def refuse_if_filled(self, caller: str | None, *, limited: bool) -> None:
        """For a request whose body has come, perhaps long after it was let in. Raises Overloaded."""
        reason: str | None = None
        if self._metrics.in_flight > self._max_in_flight:
            reason = IN_FLIGHT
        elif limited:
            reason = self._overload.refusal_after_all(caller)
        if reason is not None:
            self._metrics.shed(reason)
            raise self._overload.refused()

    def _hold(self, timer: asyncio.Timeout, size: int) -> None:
        held = self._held
        if timer not in held:
            return  # it has made room
        more = max(size, self._least) - held[timer]
        held[timer] += more
        self._bytes += more
        while self._bytes > self._most_bytes and len(held) > 1:
            self._end(next(iter(held)))
        self._metrics.overload.uploads = len(held)

    def _end(self, oldest: asyncio.Timeout) -> None:
        self._forget(oldest)
        if not oldest.expired():
            oldest.reschedule(asyncio.get_running_loop().time())
            self._metrics.overload.upload_made_room()

    def _forget(self, timer: asyncio.Timeout) -> None:
        self._bytes -= self._held.pop(timer, 0)
        self._metrics.overload.uploads = len(self._held)
