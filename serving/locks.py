"""Locks between the processes of a pod: of several workers one has the agent, and one the metrics port."""

from __future__ import annotations

import asyncio
import fcntl
from pathlib import Path
from typing import IO

LOOK_SECONDS = 1.0


async def hold_lock(path: Path, *, shared: bool = False, look_seconds: float = LOOK_SECONDS) -> IO[str]:
    """Waits until this process holds the lock file, alone or with others that share it; it is free again when the returned
    file closes or we die.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.open("w")
    try:
        while not _locked(lock, fcntl.LOCK_SH if shared else fcntl.LOCK_EX):
            await asyncio.sleep(look_seconds)
    except BaseException:
        lock.close()
        raise
    return lock


def _locked(lock: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
