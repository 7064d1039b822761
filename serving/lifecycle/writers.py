"""Who may still write to the spool: the one worker that has the agent keeps it until the last of all workers has sealed."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import structlog

from serving.lifecycle.drain import Drain
from serving.locks import hold_lock

LOOK_SECONDS = 0.1
SEAL_SECONDS = 1.0  # after the last request has ended, or was cut off


class Writers:
    """Each worker has a share of one lock while it may write. The kernel gives back the share of one that was killed."""

    def __init__(self, path: Path, drain: Drain, *, seconds: float) -> None:
        """`seconds` after SIGTERM nobody is answered any more."""
        self._path, self._drain, self._seconds = path, drain, seconds

    async def hold(self) -> None:
        """Runs until cancelled, which is when the last segment is sealed."""
        share = await hold_lock(self._path, shared=True, look_seconds=LOOK_SECONDS)
        try:
            await asyncio.Event().wait()
        finally:
            share.close()

    async def gone(self) -> None:
        """Returns when no other worker writes any more, or should not."""
        now = time.monotonic()
        left_at = now if self._drain.left_at is None else self._drain.left_at
        try:
            async with asyncio.timeout(max(0.0, left_at + self._seconds + SEAL_SECONDS - now)):
                (await hold_lock(self._path, look_seconds=LOOK_SECONDS)).close()
        except TimeoutError:
            structlog.get_logger("slipway.service").warning("agent ends while another worker writes")
