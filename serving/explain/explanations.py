"""Explanations of rows as a worker gives them: from the cache, from another request that asks the same, or computed beside it."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import msgspec

from modelkit.errors import DeadlineExceeded, ExplainerUnavailable, Overloaded, SlipwayError
from modelkit.explanation import By, Explanation
from modelkit.fingerprint import DIGEST_BYTES, canonical
from serving.adapters.memory_cache import MemoryCache
from serving.cache import MAX_VALUE_BYTES, AnswerCache
from serving.explain.explainer import Explainer
from serving.explain.messages import Job
from serving.explain.places import Place, Places
from serving.explanation_metrics import ExplanationMetrics
from serving.loaded_model import LoadedModel

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Explanation).decode


class Explained(msgspec.Struct, frozen=True):
    """One row's explanation, and whether it was there already."""

    explanation: Explanation
    cached: bool


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """`entries` are kept in the process, `queue` may be on their way, each asks its model about `evaluations` rows."""

    entries: int
    queue: int
    evaluations: int


class Asked(NamedTuple):
    """By whom, and until when (`time.perf_counter`)."""

    caller: str
    deadline: float


class _Row(NamedTuple):
    """`text` is canonical, `key` what its explanation is cached under."""

    model: LoadedModel
    key: bytes
    text: bytes
    by: By
    deadline: float


class Explanations:
    """`answers` is the cache of predictions, None where caching is off: what is shared with other replicas is its tier."""

    def __init__(
        self,
        explainer: Explainer,
        answers: AnswerCache | None,
        metrics: ExplanationMetrics,
        bounds: Bounds,
    ) -> None:
        self._explainer, self._answers, self._metrics = explainer, answers, metrics
        self._memory: MemoryCache[Explanation] = MemoryCache(max_entries=bounds.entries if answers else 0)
        self._evaluations, self._places = bounds.evaluations, Places(bounds.queue)
        self._computing: dict[bytes, asyncio.Task[Explanation]] = {}

    @property
    def explainer_pid(self) -> int | None:
        """None while there is no explainer."""
        return self._explainer.pid

    async def of_rows(
        self, model: LoadedModel, rows: Sequence[msgspec.Struct], by: By, asked: Asked
    ) -> list[Explained]:
        """One per row. Raises Overloaded, DeadlineExceeded, ExplainerUnavailable or ExplanationFailed."""
        texts = [canonical(row) for row in rows]
        keys = [self._key(model, text, by) for text in texts]
        new = {key for key in keys if key not in self._computing and self._memory.get(key) is None}
        try:
            places = dict(zip(new, self._places.take(asked.caller, len(new)), strict=True))
        except Overloaded as error:
            self._metrics.explained(model.name, error.code, len(rows))
            raise
        try:
            asking = [
                self._counted(_Row(model, key, text, by, asked.deadline), places)
                for key, text in zip(keys, texts, strict=True)
            ]
            return list(await asyncio.gather(*asking))
        finally:
            for place in places.values():
                place.leave()

    async def close(self) -> None:
        for task in self._computing.values():
            task.cancel()
        await asyncio.gather(*self._computing.values(), return_exceptions=True)
        await self._explainer.close()

    async def _counted(self, row: _Row, places: dict[bytes, Place]) -> Explained:
        try:
            return await self._of(row, places)
        except SlipwayError as error:
            self._metrics.explained(row.model.name, error.code)
            raise

    async def _of(self, row: _Row, places: dict[bytes, Place]) -> Explained:
        known = self._memory.get(row.key) or await self._shared(row.model, row.key)
        if known is not None:
            self._metrics.explained(row.model.name, "cache")
            return Explained(known, True)
        task = self._computing.get(row.key)
        joined = task is not None
        if task is None:
            task = self._computing[row.key] = asyncio.create_task(self._compute(row))
            task.add_done_callback(partial(self._done, row.key, places.pop(row.key, None)))
        try:
            async with asyncio.timeout(row.deadline - time.perf_counter()):
                # A caller who leaves does not stop it: others may have joined, and the next one finds it in the cache.
                explanation = await asyncio.shield(task)
        except TimeoutError:
            raise DeadlineExceeded from None
        except asyncio.CancelledError:
            if task.cancelled():
                raise ExplainerUnavailable from None
            raise
        if joined:
            self._metrics.explained(row.model.name, "joined")
        return Explained(explanation, joined)

    async def _compute(self, row: _Row) -> Explanation:
        started, model = time.perf_counter(), row.model
        job = Job(
            model=model.name,
            folder=str(model.folder),
            digest=model.servable.digest,
            row=row.text,
            by=row.by.value,
            evaluations=self._evaluations,
            seconds=row.deadline - started,
        )
        explanation = await self._explainer.explain(job)
        self._metrics.computed(model.name, time.perf_counter() - started)
        self._keep(model, row.key, explanation)
        return explanation

    def _key(self, model: LoadedModel, text: bytes, by: By) -> bytes:
        """Never a key of a prediction. The servable's digest stands for the background, which the contract does not hold."""
        what = f"explain\0{by.value}\0{self._evaluations}\0{model.servable.digest}\0"
        seed = what.encode() + model.fingerprint.of(text)
        return hashlib.blake2b(seed, digest_size=DIGEST_BYTES).digest()

    async def _shared(self, model: LoadedModel, key: bytes) -> Explanation | None:
        tier = None if self._answers is None else self._answers.shared
        if tier is None:
            return None
        (value,) = await tier.get_many([key])
        if value is None or len(value) > MAX_VALUE_BYTES:
            return None
        try:
            explanation = _decode(value)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            return None
        self._memory.put(key, explanation, ttl_seconds=model.definition.cache_ttl_seconds)
        return explanation

    def _keep(self, model: LoadedModel, key: bytes, explanation: Explanation) -> None:
        ttl_seconds = model.definition.cache_ttl_seconds
        self._memory.put(key, explanation, ttl_seconds=ttl_seconds)
        if self._answers is not None:
            self._answers.share(key, _encode(explanation), ttl_seconds=ttl_seconds)

    def _done(self, key: bytes, place: Place | None, task: asyncio.Task[Explanation]) -> None:
        """Only now is there room for another: whoever asked may have left long ago."""
        del self._computing[key]
        if place is not None:
            place.leave()
        if not task.cancelled():
            task.exception()  # looked at, so that one which nobody waits for any more is not reported
