"""A file in the model store by which workers see that their pod's agent lives, whoever started it."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

FILE = "agent.beat"
BEAT_SECONDS = 2.0
FRESH_SECONDS = 10.0
LOOK_SECONDS = 1.0


class Heartbeat:
    """The agent touches the file while none of its chores is stuck, and removes it when it leaves."""

    def __init__(self, store: Path) -> None:
        self._path = store / FILE

    def beat(self) -> None:
        with suppress(OSError):  # a full disk must not end the agent
            self._path.touch()
            os.utime(self._path)

    def end(self) -> None:
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    def is_fresh(self) -> bool:
        """A beat of the future is one of before the clock was set back: nobody knows of when."""
        try:
            return abs(time.time() - self._path.stat().st_mtime) < FRESH_SECONDS
        except OSError:
            return False


async def watch_agent(heartbeat: Heartbeat, agent_up: Any) -> None:
    """Keeps the gauge of an agent that is not this worker's child. Runs until cancelled."""
    while True:
        agent_up.set(float(heartbeat.is_fresh()))
        await asyncio.sleep(LOOK_SECONDS)
