"""The shared cache tier in memory, which can be down, slow or lied to."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence


class MemoryRemoteCache:
    """RemoteCache. `values` may be filled by hand; `down` makes it answer as an adapter whose server is gone."""

    def __init__(self) -> None:
        self.values: dict[bytes, bytes] = {}
        self.lives: dict[bytes, int] = {}
        self.asked: list[list[bytes]] = []
        self.stored: list[dict[bytes, bytes]] = []
        self.down = False
        self.closed = False

    async def get_many(self, keys: Sequence[bytes]) -> Sequence[bytes | None]:
        self.asked.append(list(keys))
        await asyncio.sleep(0)
        return [None if self.down else self.values.get(key) for key in keys]

    async def set_many(self, entries: Mapping[bytes, bytes], *, ttl_seconds: int) -> None:
        self.stored.append(dict(entries))
        await asyncio.sleep(0)
        if not self.down:
            self.values.update(entries)
            self.lives.update(dict.fromkeys(entries, ttl_seconds))

    async def close(self) -> None:
        self.closed = True
