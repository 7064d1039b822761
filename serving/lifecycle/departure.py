"""The end of a worker: noticed at once, so that everything that takes its time begins at the same moment, and certain.

The server's own handler only sets a flag that it looks at later, and says nothing to whatever else must close.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

import structlog

from serving.agent_process import STOP_SECONDS
from serving.event_lines import EventLines
from serving.lifecycle.drain import Drain
from serving.runtime import Runtime
from serving.settings import Settings

OWN_SECONDS = 3.0  # from the last answer on, without an agent to wait for


def seconds_to_leave(settings: Settings) -> float:
    """Requests under way have their time, then the agent has, then whatever is left."""
    agent = STOP_SECONDS if settings.agent_enabled else 0.0
    return settings.drain_limit_seconds + agent + OWN_SECONDS


class Departure:
    """What SIGTERM sets in motion. `seconds` later the process ends, whatever hangs: a disk, a thread, a library's own end.

    The records of every answer are in the spool by then, written before the answer; the next start ships them.
    """

    def __init__(self, drain: Drain, runtime: Runtime, events: EventLines, *, seconds: float) -> None:
        self._drain, self._runtime, self._events, self._seconds = drain, runtime, events, seconds

    def begin_at_sigterm(self) -> None:
        """Goes before the handlers that the server has set. Outside a server's process there are none to go before."""
        if threading.current_thread() is not threading.main_thread():
            return
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            servers = signal.getsignal(number)
            if callable(servers) and servers is not signal.default_int_handler:
                signal.signal(number, self._also(servers, loop))

    def _also(self, servers: Callable[..., Any], loop: asyncio.AbstractEventLoop) -> Callable[..., Any]:
        def handle(number: int, frame: FrameType | None) -> None:
            if not self._drain.leaving:
                self._drain.leave()
                threading.Thread(target=self._end, name="departure", daemon=True).start()
                loop.call_soon_threadsafe(self._runtime.shut_doors)
            servers(number, frame)

        return handle

    def _end(self) -> None:
        time.sleep(self._seconds)
        structlog.get_logger("slipway.service").error(
            "worker ends while something hangs", after_seconds=self._seconds
        )
        self._events.flush()
        os._exit(1)
