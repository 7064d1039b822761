"""The in-process cache tier: answers of this worker, least recently used out first, none older than its time to live."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Kept = TypeVar("Kept")


class MemoryCache(Generic[Kept]):
    """Digest to what is kept: an outcome, or an explanation of one. Not thread-safe: it belongs to one event loop."""

    def __init__(self, *, max_entries: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_entries, self._clock = max_entries, clock
        self._entries: OrderedDict[bytes, tuple[float, Kept]] = OrderedDict()

    def get(self, key: bytes) -> Kept | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry[0] < self._clock():
            del self._entries[key]
            return None
        self._entries.move_to_end(key)
        return entry[1]

    def put(self, key: bytes, kept: Kept, *, ttl_seconds: int, spare: bool = False) -> None:
        """`spare`: takes no room from anything that is still good, and is the first to make room itself."""
        if self._max_entries == 0:
            return
        if spare:
            return self._put_to_spare(key, kept, ttl_seconds)
        self._entries[key] = (self._clock() + ttl_seconds, kept)
        self._entries.move_to_end(key)
        if len(self._entries) > self._max_entries:
            self._entries.popitem(last=False)

    def _put_to_spare(self, key: bytes, kept: Kept, ttl_seconds: int) -> None:
        now = self._clock()
        if len(self._entries) >= self._max_entries and key not in self._entries:
            oldest = next(iter(self._entries))
            if self._entries[oldest][0] >= now:
                return
            del self._entries[oldest]
        self._entries[key] = (now + ttl_seconds, kept)
        self._entries.move_to_end(key, last=False)

    def __len__(self) -> int:
        return len(self._entries)
