"""A worker whose parent was killed must go too: BentoML would leave it holding the port (DESIGN 4)."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
LOOK_SECONDS = 0.5
LAST_SECONDS = 3.0


def end_with_parent(parent: int | None) -> None:
    """Asks the kernel for SIGTERM when the parent dies. Linux only; elsewhere `watch_parent` notices a moment later.

    Where `parent` died while we were imported, nobody will tell us: we have another by now.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if parent is not None and os.getppid() != parent:
        os._exit(1)


async def watch_parent() -> None:
    """Runs until cancelled. When the parent is gone: SIGTERM to ourselves, then, if that hangs, the end."""
    parent = os.getppid()
    while os.getppid() == parent:
        await asyncio.sleep(LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.sleep(LAST_SECONDS)
    os._exit(1)
