"""When Redis is left alone and for how long: no request finds out that it is still down, a question of our own does.

The first failure is enough, because asking costs little: a PING in the background that is answered ends it at once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

# Before each question, in order; then the last, for as long as it takes. A single lost call costs one round trip.
PAUSES = (0.0, 0.1, 0.3, 1.0)


class Breaker:
    """`ping` raises whatever it likes while Redis is down. `tell` hears 1 when Redis is left alone and 0 when it is back."""

    def __init__(
        self, ping: Callable[[], Awaitable[object]], tell: Callable[[float], None], *, purpose: str
    ) -> None:
        self._ping, self._tell, self._purpose = ping, tell, purpose
        self.open = False
        self._failures = (
            0  # of calls, since the last one that worked: one that PINGs and does nothing else is left alone
        )
        self._asking: asyncio.Task[None] | None = None
        self._log = structlog.get_logger("slipway.service")

    def worked(self) -> None:
        self._failures = 0

    def failed(self, error: Exception) -> None:
        if self.open:
            return
        self._failures += 1
        self.open = True
        self._tell(1)
        self._asking = asyncio.ensure_future(self._until_it_answers(type(error).__name__))

    async def close(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    async def _until_it_answers(self, reason: str) -> None:
        since, told, step = time.monotonic(), False, self._failures - 1
        while True:
            await asyncio.sleep(PAUSES[min(step, len(PAUSES) - 1)])
            try:
                await self._ping()
            except Exception as error:
                if not told:  # a single lost call is not worth a line
                    self._log.warning("redis left alone", purpose=self._purpose, reason=reason)
                reason, told, step = type(error).__name__, True, step + 1
            else:
                break
        self.open = False
        self._tell(0)
        if told:
            seconds = round(time.monotonic() - since, 1)
            self._log.warning("redis answers again", purpose=self._purpose, after_seconds=seconds)
