"""Outcomes of rows that this process does not know: from the shared cache, from another request, or from the model.

What several requests ask at the same time is computed once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence

import msgspec

from modelkit.errors import PredictionFailed
from serving.asking import Asking
from serving.cache import AnswerCache
from serving.loaded_model import LoadedModel
from serving.model_calls import ModelCalls
from serving.outcome import Outcome

# An outcome and where it came from: `cache`, `joined` (another request was computing it) or `model`.
Found = tuple[Outcome, str]
FoundOrFailed = Found | PredictionFailed
# Settled by whoever computes a row: with nothing where that failed.
Leader = asyncio.Future[Outcome | None]


class Finding:
    """Holds what is being computed, for others to join."""

    def __init__(self, cache: AnswerCache | None, calls: ModelCalls) -> None:
        self._cache, self._calls = cache, calls
        self._computing: dict[bytes, Leader] = {}

    async def one(self, model: LoadedModel, row: msgspec.Struct, key: bytes, asking: Asking) -> Found:
        """Raises PredictionFailed or DeadlineExceeded."""
        leader = self._computing.get(key)
        if leader is None:
            return await self._lead(model, row, key, asking)
        return await self._join(leader, model, row, key, asking)

    async def _join(
        self, leader: Leader | None, model: LoadedModel, row: msgspec.Struct, key: bytes, asking: Asking
    ) -> Found:
        """Where the leader fails or is cancelled, takes its place."""
        while leader is not None:
            started = time.perf_counter()
            outcome = await asyncio.shield(leader)
            if asking.stages is not None:
                asking.stages.add("joined", started, time.perf_counter(), rows=1)
            if outcome is not None:
                return outcome, "joined"
            leader = self._computing.get(key)
        return await self._lead(model, row, key, asking)

    @property
    def is_idle(self) -> bool:
        return not self._computing

    def slice_rows(self, model: LoadedModel) -> int:
        """How many rows of a large request make one slice."""
        return self._calls.slice_rows(model)

    async def slice(
        self,
        model: LoadedModel,
        rows: Sequence[msgspec.Struct],
        keys: Sequence[bytes],
        asking: Asking,
        *,
        spare: bool,
    ) -> list[FoundOrFailed]:
        """One entry per row, each distinct row looked up and computed once. Raises DeadlineExceeded.

        `spare`: of a large request, whose rows take no room in the cache from those of others.
        """
        cache = self._cache
        known = [None] * len(keys) if cache is None else cache.local_many(model.name, keys)
        missing: dict[bytes, msgspec.Struct] = {}
        for key, row, outcome in zip(keys, rows, known, strict=True):
            if outcome is None:
                missing.setdefault(key, row)
        if not missing:
            return [(outcome, "cache") for outcome in known if outcome is not None]
        found = await self._distinct(model, missing, asking, spare)
        return [
            _taken(found, key) if outcome is None else (outcome, "cache")
            for key, outcome in zip(keys, known, strict=True)
        ]

    async def _distinct(
        self, model: LoadedModel, missing: Mapping[bytes, msgspec.Struct], asking: Asking, spare: bool
    ) -> dict[bytes, FoundOrFailed]:
        """Own rows first: whoever waits for others while others wait for him would wait for ever."""
        computing = self._computing
        leaders = {key: computing[key] for key in missing if key in computing}
        own = {key: row for key, row in missing.items() if key not in leaders} if leaders else missing
        found = await self._lead_many(model, own, asking, spare)
        if leaders:
            joining = (self._join(each, model, missing[key], key, asking) for key, each in leaders.items())
            joined = await asyncio.gather(*joining, return_exceptions=True)
            found |= {key: _only_failures(result) for key, result in zip(leaders, joined, strict=True)}
        return found

    async def _lead(self, model: LoadedModel, row: msgspec.Struct, key: bytes, asking: Asking) -> Found:
        """Looks the row up and computes it once for everybody who asks meanwhile."""
        leader = self._computing[key] = asyncio.get_running_loop().create_future()
        outcome: Outcome | None = None
        cache, ttl = self._cache, model.definition.cache_ttl_seconds
        try:
            if cache is not None and cache.has_remote:
                started = time.perf_counter()
                outcome = await cache.remote(model.name, key, ttl_seconds=ttl, fits=model.could_say)
                if asking.stages is not None:
                    asking.stages.add("cache.shared", started, time.perf_counter(), rows=1)
                if outcome is not None:
                    return outcome, "cache"
            asking.refuse_late()
            outcome = await self._calls.one((model, row, asking))
            if cache is not None:
                cache.store(key, outcome, ttl_seconds=ttl)
            return outcome, "model"
        finally:
            del self._computing[key]
            if not leader.done():
                leader.set_result(outcome)

    async def _lead_many(
        self, model: LoadedModel, own: Mapping[bytes, msgspec.Struct], asking: Asking, spare: bool
    ) -> dict[bytes, FoundOrFailed]:
        """`_lead` for a slice: one look-up and one call of the model."""
        loop, found = asyncio.get_running_loop(), dict[bytes, FoundOrFailed]()
        leaders: dict[bytes, Leader] = {key: loop.create_future() for key in own}
        self._computing |= leaders
        try:
            if self._cache is not None and self._cache.has_remote:
                found |= await self._shared(self._cache, model, [*own], asking, spare)
            asking.refuse_late()
            rest = [key for key in own if key not in found]
            computed = await self._calls.many(model, [own[key] for key in rest], asking)
            for key, outcome in zip(rest, computed, strict=True):
                if isinstance(outcome, Outcome):
                    found[key] = outcome, "model"
                    if self._cache is not None:
                        ttl = model.definition.cache_ttl_seconds
                        self._cache.store(key, outcome, ttl_seconds=ttl, spare=spare)
                else:
                    found[key] = _only_failures(outcome)
        finally:
            for key, leader in leaders.items():
                del self._computing[key]
                leader.set_result(_outcome(found.get(key)))
        return found

    @staticmethod
    async def _shared(
        cache: AnswerCache, model: LoadedModel, keys: list[bytes], asking: Asking, spare: bool
    ) -> dict[bytes, FoundOrFailed]:
        started, ttl = time.perf_counter(), model.definition.cache_ttl_seconds
        outcomes = await cache.remote_many(
            model.name, keys, ttl_seconds=ttl, spare=spare, fits=model.could_say
        )
        if asking.stages is not None:
            asking.stages.add("cache.shared", started, time.perf_counter(), rows=len(keys))
        pairs = zip(keys, outcomes, strict=True)
        return {key: (outcome, "cache") for key, outcome in pairs if outcome is not None}


def _taken(found: dict[bytes, FoundOrFailed], key: bytes) -> FoundOrFailed:
    """The first row that takes what was computed for it leaves the next the same as joined."""
    result = found[key]
    if isinstance(result, tuple) and result[1] == "model":
        found[key] = result[0], "joined"
    return result


def _outcome(found: FoundOrFailed | None) -> Outcome | None:
    return found[0] if isinstance(found, tuple) else None


def _only_failures(result: Found | BaseException) -> FoundOrFailed:
    """A row that failed is the row's matter; everything else that went wrong is the request's."""
    if isinstance(result, BaseException) and not isinstance(result, PredictionFailed):
        raise result
    return result
