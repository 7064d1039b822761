"""Locks between the processes of a pod: of several workers one has the agent, and one the metrics port."""

from __future__ import annotations

import asyncio
import fcntl
from pathlib import Path
from typing import IO

LOOK_SECONDS = 1.0


async def hold_lock(path: Path) -> IO[str]:
    """Waits until this process holds the lock file; it is free again when the returned file closes or we die."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.open("w")
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            await asyncio.sleep(LOOK_SECONDS)
        else:
            return lock
