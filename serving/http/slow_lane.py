"""The slow routes' own threads: SQL is asked in some and passwords are hashed in others, never on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from modelkit.errors import Overloaded

T = TypeVar("T")

SLOW_THREADS = 2
SLOW_QUEUE = 16


class SlowLane:
    """A bounded thread pool: what is slow slows only the routes that use this one, and a crowd there is refused."""

    def __init__(self, name: str = "slow") -> None:
        self._pool = ThreadPoolExecutor(SLOW_THREADS, thread_name_prefix=name)
        self._waiting = 0

    async def run(self, call: Callable[[], T]) -> T:
        """Raises Overloaded at once when too many calls wait already."""
        if self._waiting >= SLOW_THREADS + SLOW_QUEUE:
            raise Overloaded("too many slow requests are waiting")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, call)
        finally:
            self._waiting -= 1

    async def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
