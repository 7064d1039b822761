"""What the kubelet would see while a server is loaded: its probe, asked a few times a second, each time on a new connection."""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
from collections.abc import Iterator

from bench.client import get

EVERY_SECONDS = 0.2
PATH = "/readyz"
FAILED = float("inf")


@contextlib.contextmanager
def probing(port: int) -> Iterator[list[float]]:
    """Seconds of each probe, in order; infinite for one that had no 200. Complete when the context ends."""
    found: list[float] = []
    ended = threading.Event()
    thread = threading.Thread(target=_probe, args=(port, found, ended), name="probes")
    thread.start()
    try:
        yield found
    finally:
        ended.set()
        thread.join()


def _probe(port: int, found: list[float], ended: threading.Event) -> None:
    while not ended.wait(EVERY_SECONDS):
        began = time.perf_counter()
        try:
            answered = get(port, PATH).status == 200
        except (OSError, http.client.HTTPException):
            answered = False
        found.append(time.perf_counter() - began if answered else FAILED)
