"""Explanations of rows as a worker gives them: from the cache, from another request that asks the same, or computed beside it."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Sequence
from functools import partial

import msgspec

from modelkit.errors import DeadlineExceeded, ExplainerUnavailable, SlipwayError
from modelkit.explanation import By, Explanation
from modelkit.fingerprint import DIGEST_BYTES, canonical
from serving.adapters.memory_cache import MemoryCache
from serving.cache import MAX_VALUE_BYTES, AnswerCache
from serving.explain.explainer import Explainer
from serving.explain.messages import Job
from serving.explanation_metrics import ExplanationMetrics
from serving.loaded_model import LoadedModel

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Explanation).decode


class Explained(msgspec.Struct, frozen=True):
    """One row's explanation, and whether it was there already."""

    explanation: Explanation
    cached: bool


class Explanations:
    """`answers` is the cache of predictions, None where caching is off: what is shared with other replicas is its tier."""

    def __init__(
        self,
        explainer: Explainer,
        answers: AnswerCache | None,
        metrics: ExplanationMetrics,
        *,
        entries: int,
        evaluations: int,
    ) -> None:
        self._explainer, self._answers, self._metrics = explainer, answers, metrics
        self._memory: MemoryCache[Explanation] = MemoryCache(max_entries=entries if answers else 0)
        self._evaluations = evaluations
        self._computing: dict[bytes, asyncio.Task[Explanation]] = {}

    @property
    def explainer_pid(self) -> int | None:
        """None while there is no explainer."""
        return self._explainer.pid

    async def of_rows(
        self, model: LoadedModel, rows: Sequence[msgspec.Struct], by: By, deadline: float
    ) -> list[Explained]:
        """One per row. Raises Overloaded, DeadlineExceeded, ExplainerUnavailable or ExplanationFailed."""
        asked = [self._counted(model, row, by, deadline) for row in rows]
        return list(await asyncio.gather(*asked))

    async def close(self) -> None:
        for task in self._computing.values():
            task.cancel()
        await asyncio.gather(*self._computing.values(), return_exceptions=True)
        await self._explainer.close()

    async def _counted(self, model: LoadedModel, row: msgspec.Struct, by: By, deadline: float) -> Explained:
        try:
            return await self._of(model, canonical(row), by, deadline)
        except SlipwayError as error:
            self._metrics.explained(model.name, error.code)
            raise

    async def _of(self, model: LoadedModel, text: bytes, by: By, deadline: float) -> Explained:
        key = self._key(model, text, by)
        known = self._memory.get(key) or await self._shared(model, key)
        if known is not None:
            self._metrics.explained(model.name, "cache")
            return Explained(known, True)
        task = self._computing.get(key)
        joined = task is not None
        if task is None:
            task = self._computing[key] = asyncio.create_task(self._compute(model, key, text, by, deadline))
            task.add_done_callback(partial(self._done, key))
        try:
            async with asyncio.timeout(deadline - time.perf_counter()):
                # A caller who leaves does not stop it: others may have joined, and the next one finds it in the cache.
                explanation = await asyncio.shield(task)
        except TimeoutError:
            raise DeadlineExceeded from None
        except asyncio.CancelledError:
            if task.cancelled():
                raise ExplainerUnavailable from None
            raise
        if joined:
            self._metrics.explained(model.name, "joined")
        return Explained(explanation, joined)

    async def _compute(
        self, model: LoadedModel, key: bytes, text: bytes, by: By, deadline: float
    ) -> Explanation:
        started = time.perf_counter()
        job = Job(
            model=model.name,
            folder=str(model.folder),
            digest=model.servable.digest,
            row=text,
            by=by.value,
            evaluations=self._evaluations,
            seconds=deadline - started,
        )
        explanation = await self._explainer.explain(job)
        self._metrics.computed(model.name, time.perf_counter() - started)
        self._keep(model, key, explanation)
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

    def _done(self, key: bytes, task: asyncio.Task[Explanation]) -> None:
        del self._computing[key]
        if not task.cancelled():
            task.exception()  # looked at, so that one which nobody waits for any more is not reported
