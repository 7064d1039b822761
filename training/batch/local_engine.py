"""The engine of one machine: a few threads over chunks, of which only as many as there are threads are in memory.

Threads, because nearly all of the work (ONNX Runtime, numpy, Arrow) lets go of Python's lock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

Work = TypeVar("Work")
Done = TypeVar("Done")


def run_threads(function: Callable[[Work], Done], items: Iterable[Work], workers: int) -> Iterator[Done]:
    """Results as they come. Where one fails, no further one begins."""
    waiting: set[Future[Done]] = set()
    with ThreadPoolExecutor(workers, thread_name_prefix="batch") as pool:
        for item in items:
            waiting.add(pool.submit(function, item))
            if len(waiting) > workers:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from (each.result() for each in done)
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            yield from (each.result() for each in done)
