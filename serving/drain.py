"""Draining: BentoML closes its listener at SIGTERM, so a replica leaves its Service first, when its drain file appears."""

from __future__ import annotations

import asyncio
from pathlib import Path

LOOK_SECONDS = 0.1


class Drain:
    """`active` is a plain flag for the request path; `look` refreshes it from the file system."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.active = False

    def look(self) -> None:
        self.active = self._path.exists()

    async def run(self) -> None:
        """Runs until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_SECONDS)
