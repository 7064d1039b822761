"""What the kernel tells of a thread that was ready and had no core."""

from __future__ import annotations

import os
import threading
import time

from serving.overload.clocks import seconds_without_a_core

GIVE_UP_SECONDS = 30.0


def test_where_two_threads_of_a_core_work_each_has_waited_for_it() -> None:
    """Without the interpreter's lock in between: hashing lets go of it."""
    found: list[float] = []

    def works() -> None:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # of this thread
        give_up = time.monotonic() + GIVE_UP_SECONDS
        before = seconds_without_a_core()
        while seconds_without_a_core() - before < 0.02 and time.monotonic() < give_up:
            os.urandom(1 << 20)
        found.append(seconds_without_a_core() - before)

    threads = [threading.Thread(target=works) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(found) >= 0.02


def test_it_is_the_calling_threads() -> None:
    """A new one has waited for next to nothing, whatever the others have."""
    found: list[float] = []
    thread = threading.Thread(target=lambda: found.append(seconds_without_a_core()))
    thread.start()
    thread.join()
    assert 0.0 <= found[0] < GIVE_UP_SECONDS
