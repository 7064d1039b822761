"""What runs in a worker beside its requests: following, the agent, metrics folding, the spool's upkeep, draining."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog

from serving.following import Follower
from serving.metrics import Metrics
from serving.prediction_log import PredictionLog

UPKEEP_SECONDS = 0.1
RESTART_SECONDS = 1.0
ERRAND_THREADS = 2

Errand = Callable[[], Coroutine[Any, Any, None]]
Closer = Callable[[], Coroutine[Any, Any, None]]


class Runtime:
    """Starts and stops the background work of one worker.

    `errands` are coroutines that run until cancelled. They wait for the following's first look, because until the models are
    loaded nothing else is urgent, least of all the agent's imports.
    """

    def __init__(
        self,
        *,
        follower: Follower,
        errands: list[Errand],
        log: PredictionLog,
        metrics: Metrics,
        closers: list[Closer],
    ) -> None:
        self._follower, self._errands, self._log = follower, errands, log
        self._metrics, self._closers = metrics, closers
        self._watches: list[Errand] = []
        self._doors: list[Closer] = []
        self._shutting: list[asyncio.Future[None]] = []
        self._tasks: list[asyncio.Task[None]] = []

    def also_watches(self, *watches: Errand) -> None:
        """Run until cancelled, too, and from the start: a load may take its time, or never end."""
        self._watches.extend(watches)

    def also_closes(self, door: Closer) -> None:
        """Before anything else: requests come in by it."""
        self._doors.append(door)

    async def start(self) -> None:
        # Python's own pool grows with the node's cores, which are not ours to use.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(ERRAND_THREADS, "errand"))
        for errand in (self._upkeep, *self._watches, self._follow):
            self._tasks.append(asyncio.create_task(_kept_going(errand)))

    def shut_doors(self) -> None:
        """At SIGTERM, so that they close while the HTTP server waits for its own requests; `stop` waits for them."""
        if not self._shutting:
            self._shutting = [asyncio.ensure_future(close()) for close in self._doors]

    async def stop(self) -> None:
        """Seals the spool as soon as nobody is answered any more: whatever follows may be cut short by a kill."""
        self.shut_doors()
        await asyncio.gather(*self._shutting, return_exceptions=True)
        await _closed(self._log.close)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for close in self._closers:
            await _closed(close)
        self._metrics.fold()

    async def _follow(self) -> None:
        await self._follower.step()
        while self._errands:
            self._tasks.append(asyncio.create_task(_kept_going(self._errands.pop(0))))
        await self._follower.run()

    async def _upkeep(self) -> None:
        while True:
            self._metrics.fold()
            await self._log.tend()
            await asyncio.sleep(UPKEEP_SECONDS)


async def _closed(close: Closer) -> None:
    """What does not close keeps nothing else from closing."""
    try:
        await close()
    except Exception as error:
        structlog.get_logger("slipway.service").error("not closed", exc_info=error)


async def _kept_going(errand: Errand) -> None:
    """An errand that fails is reported and started again: the requests it stands beside go on."""
    while True:
        try:
            return await errand()
        except Exception as error:
            structlog.get_logger("slipway.service").error("background work failed", exc_info=error)
            await asyncio.sleep(RESTART_SECONDS)
