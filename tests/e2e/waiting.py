"""Waiting for a fact about another process, with an end."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

LOOK_SECONDS = 0.05


def until(fact: Callable[[], T], *, seconds: float, what: str) -> T:
    """The first true value of `fact`; fails the test after `seconds`."""
    give_up_at = time.monotonic() + seconds
    while True:
        if value := fact():
            return value
        assert time.monotonic() < give_up_at, f"not within {seconds:.0f} s: {what}"
        time.sleep(LOOK_SECONDS)
