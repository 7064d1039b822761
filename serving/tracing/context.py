"""W3C trace context: which trace a request belongs to, and the names that traces and spans of ours get.

The recommendation: https://www.w3.org/TR/trace-context-2/. What is malformed is as if nobody had sent it. Names are made
hundreds at a time, which costs a request less than one call of the system's random numbers would.
"""

from __future__ import annotations

import os

import numpy as np

AT_ONCE = 256
TRACE, SPAN = slice(3, 35), slice(36, 52)
SAMPLED = 1

_LENGTH = 55
_HEX = b"0123456789abcdef"
_DASH = ord("-")
_ZEROS = b"0" * 32
_PATTERN = np.frombuffer(b"00-" + b"0" * 32 + b"-" + b"0" * 16 + b"-00", np.uint8)


class TraceParents:
    """Calling it gives the `traceparent` of a new trace that nobody records, with a span of ours. One per process."""

    def __init__(self) -> None:
        self._made: list[bytes] = []

    def __call__(self) -> bytes:
        try:
            return self._made.pop()
        except IndexError:
            self._made = _some()
            return self._made.pop()

    def within(self, given: bytes) -> bytes:
        """A new span of ours in the trace of a well-formed `given`, with its flag."""
        return b"00-%b-%b-0%d" % (given[TRACE], self()[SPAN], is_sampled(given))


def well_formed(given: bytes) -> bool:
    """Whether this is a `traceparent` that can be followed, whatever its version."""
    start = given[:_LENGTH]
    if start.translate(None, _HEX) != b"---" or len(start) != _LENGTH:
        return False
    if not start[2] == start[35] == start[52] == _DASH:
        return False
    if start[TRACE] == _ZEROS or start[SPAN] == _ZEROS[:16] or start.startswith(b"ff"):
        return False
    if len(given) == _LENGTH:
        return True
    return not start.startswith(b"00") and given[_LENGTH] == _DASH  # of a later version we know the beginning


def is_sampled(traceparent: bytes) -> bool:
    """Whether who sent it recorded it."""
    return int(traceparent[53:55], 16) & SAMPLED == SAMPLED


def sampled(traceparent: bytes) -> bytes:
    return traceparent[:53] + b"01"


def unsampled(traceparent: bytes) -> bytes:
    return traceparent[:53] + b"00"


def _some() -> list[bytes]:
    names = np.frombuffer(os.urandom(24 * AT_ONCE).hex().encode(), np.uint8).reshape(AT_ONCE, 48)
    made = np.tile(_PATTERN, (AT_ONCE, 1))
    made[:, TRACE], made[:, SPAN] = names[:, :32], names[:, 32:]
    texts: list[bytes] = made.view(f"S{_LENGTH}").ravel().tolist()
    return texts
