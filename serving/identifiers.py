"""Identifiers of requests and predictions: ULIDs, so that they sort by time, at half a microsecond each.

Layout (github.com/ulid/spec): 48 bits of milliseconds, then 80 bits that are unique here because 40 of them are
random per process and 40 count up from a random start.
"""

from __future__ import annotations

import os
import re
import struct
import time
from collections.abc import Callable

# What a caller may call his request.
REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [high + low for high in _ALPHABET for low in _ALPHABET]
_COUNTER_MASK = (1 << 40) - 1


class Identifiers:
    """A generator for one process; make it after the process was forked."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._process = "".join(_PAIRS[place & 1023] for place in struct.unpack("4H", os.urandom(8)))
        self._counter = int.from_bytes(os.urandom(5))
        self._millisecond = -1
        self._prefix = ""

    def __call__(self) -> str:
        millisecond = int(self._clock() * 1000)
        if millisecond != self._millisecond:
            self._millisecond = millisecond
            self._prefix = (
                f"{_PAIRS[millisecond >> 40]}{_PAIRS[millisecond >> 30 & 1023]}{_PAIRS[millisecond >> 20 & 1023]}"
                f"{_PAIRS[millisecond >> 10 & 1023]}{_PAIRS[millisecond & 1023]}{self._process}"
            )
        self._counter = count = (self._counter + 1) & _COUNTER_MASK
        return (
            f"{self._prefix}{_PAIRS[count >> 30]}{_PAIRS[count >> 20 & 1023]}"
            f"{_PAIRS[count >> 10 & 1023]}{_PAIRS[count & 1023]}"
        )
