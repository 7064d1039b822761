"""Whom the challenger answers: a stable hash, so that every replica, today and after a restart, says the same of a caller.

A unit is a caller, or a key that the request carries. It is a place between 0 and 1; the challenger has those below the
weight. More weight only adds units, and the places of two models, or under two salts, have nothing to do with each other.
"""

from __future__ import annotations

from enum import StrEnum
from hashlib import blake2b

PLACES = 2**64
KEY_BYTES = 16


class SplitBy(StrEnum):
    SUBJECT = "subject"
    KEY = "key"


def split_key_of(given: bytes) -> str:
    """What is kept of a request's key: enough to tell keys apart, and not the key. The same for all protocols."""
    return blake2b(given, digest_size=KEY_BYTES).hexdigest()


class Split:
    """The split of one model. `weight` is the share of units that its challenger answers."""

    def __init__(self, model: str, weight: float, *, salt: str = "") -> None:
        self.weight = weight
        self._limit = round(weight * PLACES)
        self._start = blake2b(f"{model}\0{salt}\0".encode(), digest_size=8)

    def takes(self, unit: str) -> bool:
        """Whether the challenger answers this unit."""
        place = self._start.copy()
        place.update(unit.encode("utf-8", "surrogatepass"))
        return int.from_bytes(place.digest(), "big") < self._limit
