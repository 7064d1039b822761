"""Draining: BentoML closes its listener at SIGTERM, so a replica leaves its Service first, when its drain file appears."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

LOOK_SECONDS = 0.1


class Drain:
    """`active` is a plain flag for the request path; `look` refreshes it from the file system."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.leaving = False
        self.active = False
        self.left_at: float | None = None  # `time.monotonic` of SIGTERM

    def look(self) -> None:
        self.active = self.leaving or self._path.exists()

    def leave(self) -> None:
        """From now on for good: SIGTERM has come, whether or not somebody asked us to drain before."""
        self.leaving = self.active = True
        self.left_at = time.monotonic()

    async def run(self) -> None:
        """Runs until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_SECONDS)
