"""What tells a loop that had no time to spare why: its thread worked, or was ready to and somebody else had the core."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SCHEDSTAT = Path("/proc/thread-self/schedstat")


def seconds_without_a_core() -> float:
    """For which this thread was ready: others ran, or its container had used up its quota. 0 where no kernel tells."""
    try:
        return int(SCHEDSTAT.read_bytes().split()[1]) * 1e-9
    except (OSError, IndexError):
        return 0.0


@dataclass(frozen=True, kw_only=True)
class Clocks:
    """Seconds, each from some beginning: of time, of the calling thread's work, and of its waiting for a core."""

    now: Callable[[], float] = time.perf_counter
    cpu: Callable[[], float] = time.thread_time
    starved: Callable[[], float] = seconds_without_a_core
