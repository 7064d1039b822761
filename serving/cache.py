"""The answer cache: an in-process tier always, a shared tier behind it where one is configured.

Keys are fingerprints (model, version, contract and canonical row), so no invalidation exists: another version has
other keys. A shared value that is no outcome of that version is a miss, counted as poisoned, and gets overwritten.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import msgspec
import structlog

from serving.adapters.memory_cache import MemoryCache
from serving.coalesce import Coalescer
from serving.metrics import Metrics
from serving.outcome import Outcome, decode_outcome, encode_outcome
from serving.ports import RemoteCache
from serving.seldom import Seldom

MAX_KEYS_PER_CALL = 256
MAX_KEYS_PER_WRITE = 128
MAX_VALUE_BYTES = 64 * 1024
WRITE_AFTER_SECONDS = 0.005  # nobody waits for a write: let several turns share one

Fits = Callable[[Outcome], bool]  # whether the version asked for could have said so


def _any_outcome(_: Outcome) -> bool:
    return True


class AnswerCache:
    """Look-ups of one turn become one call of the shared tier, and so do its writes, which no answer waits for."""

    def __init__(self, memory: MemoryCache[Outcome], remote: RemoteCache | None, metrics: Metrics) -> None:
        self._memory, self._remote, self._metrics = memory, remote, metrics
        self._lookups: Coalescer[bytes, bytes | None] = Coalescer(
            self._get_many, max_items=MAX_KEYS_PER_CALL, one_at_a_time=True
        )
        self._writes: dict[int, dict[bytes, bytes]] = {}
        self._writing: set[asyncio.Task[None]] = set()
        self._log, self._seldom = structlog.get_logger("slipway.service"), Seldom()

    def local(self, model: str, key: bytes) -> Outcome | None:
        outcome = self._memory.get(key)
        self._metrics.cache_asked(model, "memory", "miss" if outcome is None else "hit")
        return outcome

    def local_many(self, model: str, keys: Sequence[bytes]) -> list[Outcome | None]:
        outcomes = [self._memory.get(key) for key in keys]
        missed = outcomes.count(None)
        for result, count in (("miss", missed), ("hit", len(outcomes) - missed)):
            if count:
                self._metrics.cache_asked(model, "memory", result, count)
        return outcomes

    def attach(self, remote: RemoteCache) -> None:
        """Puts the shared tier behind this one; until then it is as if there were none."""
        self._remote = remote

    @property
    def has_remote(self) -> bool:
        return self._remote is not None

    async def remote(
        self, model: str, key: bytes, *, ttl_seconds: int, fits: Fits = _any_outcome
    ) -> Outcome | None:
        """The shared tier's answer, copied into this process; None is a miss, a tier that is down, or what does not fit."""
        outcome = self._decode(model, await self._lookups.submit(key), fits)
        if outcome is not None:
            self._memory.put(key, outcome, ttl_seconds=ttl_seconds, spare=False)
        return outcome

    async def remote_many(
        self, model: str, keys: Sequence[bytes], *, ttl_seconds: int, spare: bool, fits: Fits = _any_outcome
    ) -> list[Outcome | None]:
        """The same for a slice of rows."""
        values = await asyncio.gather(*map(self._lookups.submit, keys))
        outcomes = [self._decode(model, value, fits) for value in values]
        for key, outcome in zip(keys, outcomes, strict=True):
            if outcome is not None:
                self._memory.put(key, outcome, ttl_seconds=ttl_seconds, spare=spare)
        return outcomes

    def store(self, key: bytes, outcome: Outcome, *, ttl_seconds: int, spare: bool = False) -> None:
        """`spare`: in this process only where there is room to spare."""
        self._memory.put(key, outcome, ttl_seconds=ttl_seconds, spare=spare)
        if self._remote is not None:
            self.share(key, encode_outcome(outcome), ttl_seconds=ttl_seconds)

    @property
    def shared(self) -> RemoteCache | None:
        """The tier behind this one, for what is no outcome; None where there is none (yet)."""
        return self._remote

    def share(self, key: bytes, value: bytes, *, ttl_seconds: int) -> None:
        """Puts a value into the shared tier, with the other writes of this moment."""
        if self._remote is None:
            return
        if not self._writes:
            asyncio.get_running_loop().call_later(WRITE_AFTER_SECONDS, self._flush_writes)
        self._writes.setdefault(ttl_seconds, {})[key] = value

    async def close(self) -> None:
        if self._writes:
            self._flush_writes()
        if self._writing:
            await asyncio.wait(self._writing, timeout=1.0)
        if self._remote is not None:
            await self._remote.close()

    async def _get_many(self, keys: list[bytes]) -> Sequence[bytes | None]:
        assert self._remote is not None
        return await self._remote.get_many(keys)

    def _flush_writes(self) -> None:
        assert self._remote is not None
        writes, self._writes = self._writes, {}
        for ttl_seconds, entries in writes.items():
            task = asyncio.ensure_future(self._write(self._remote, entries, ttl_seconds))
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)

    @staticmethod
    async def _write(remote: RemoteCache, entries: dict[bytes, bytes], ttl_seconds: int) -> None:
        """In parts that neither this process nor the shared tier is held up by."""
        keys = list(entries)
        for first in range(0, len(keys), MAX_KEYS_PER_WRITE):
            part = {key: entries[key] for key in keys[first : first + MAX_KEYS_PER_WRITE]}
            await remote.set_many(part, ttl_seconds=ttl_seconds)

    def _decode(self, model: str, value: bytes | None, fits: Fits) -> Outcome | None:
        if value is None:
            self._metrics.cache_asked(model, "redis", "miss")
            return None
        try:
            if len(value) > MAX_VALUE_BYTES:
                raise msgspec.ValidationError("too large")
            outcome = decode_outcome(value)
            if not fits(outcome):
                raise msgspec.ValidationError("no answer of this version")
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            self._metrics.cache_asked(model, "redis", "poisoned")
            if self._seldom.due(model):
                self._log.warning("stored answers refused", model=model)
            return None
        self._metrics.cache_asked(model, "redis", "hit")
        return outcome
