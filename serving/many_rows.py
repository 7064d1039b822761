"""Answers for many rows of one request, slice by slice, so that a caller with one row never waits for all of them.

Every slice is looked up, computed and made into records in a turn of its own. The records are written when the last row
has its answer, in turns too: a request that fails has logged nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import msgspec

from modelkit.errors import PredictionFailed
from modelkit.fingerprint import canonical
from records.prediction_record import PredictionRecord
from serving.answer_record import answer_record
from serving.asking import Answer, Asking
from serving.finding import Finding, FoundOrFailed
from serving.loaded_model import LoadedModel
from serving.metrics import Metrics
from serving.overload.many import ManySeen
from serving.redaction import RecordLog
from serving.turns import SLICE_ROWS, Turns, slices_of

# Rows of a request that is larger leave the cache to others.
LARGE_ROWS = 64

Answered = Answer | PredictionFailed


class _Slices:
    """One request on its way: what its slices have found so far."""

    def __init__(self) -> None:
        self.answers: list[Answered] = []
        self.records: list[PredictionRecord] = []
        self.sources: dict[str, int] = {}
        self.failed = False


class ManyRows:
    """Shares with requests for one row what is being computed, and the log. `turns` are of slices, `seen` is told of them."""

    def __init__(
        self,
        finding: Finding,
        log: RecordLog,
        metrics: Metrics,
        *,
        new_id: Callable[[], str],
        seen: ManySeen,
    ) -> None:
        self._finding, self._log, self._metrics = finding, log, metrics
        self._new_id, self._seen = new_id, seen
        self.turns = Turns()

    async def answers(
        self, model: LoadedModel, rows: Sequence[msgspec.Struct], asking: Asking, *, skips: bool
    ) -> list[Answered]:
        """See `Predictor.predict_each`."""
        done, stages = _Slices(), asking.stages
        if stages is not None:
            stages.asked(model.name, model.version, len(rows))
            stages.ended("cache")
        first = 0
        while first < len(rows) and (skips or not done.failed):
            if len(rows) > SLICE_ROWS:
                await self.turns.next()
                asking.refuse_late()
            last = first + self._finding.slice_rows(model)
            await self._slice(done, model, rows[first:last], asking, spare=len(rows) > LARGE_ROWS)
            self._seen.rows += len(done.answers) - first
            first = last
        if done.records and (skips or not done.failed):
            await self._log_all(done, model, asking)
        return done.answers

    async def _slice(
        self,
        done: _Slices,
        model: LoadedModel,
        rows: Sequence[msgspec.Struct],
        asking: Asking,
        *,
        spare: bool,
    ) -> None:
        of = model.fingerprint.of
        texts = [canonical(row) for row in rows]
        keys = [of(text) for text in texts]
        found = await self._finding.slice(model, rows, keys, asking, spare=spare)
        for text, each in zip(texts, found, strict=True):
            done.answers.append(self._answer(done, model, text, each, asking))

    def _answer(
        self, done: _Slices, model: LoadedModel, text: bytes, found: FoundOrFailed, asking: Asking
    ) -> Answered:
        if isinstance(found, PredictionFailed):
            done.failed = True
            return found
        outcome, source = found
        answer = Answer(outcome, self._new_id(), source != "model")
        done.records.append(answer_record(model, answer, text, asking))
        done.sources[source] = done.sources.get(source, 0) + 1
        return answer

    async def _log_all(self, done: _Slices, model: LoadedModel, asking: Asking) -> None:
        stages = asking.stages
        if stages is not None:
            stages.went_on()
            stages.all_cached = "model" not in done.sources
        # Whoever leaves now leaves with all of his rows in the log, and not with some.
        await asyncio.shield(self._written(done.records))
        if stages is not None:
            stages.ended("log")
        seconds = time.perf_counter() - asking.arrived
        for source, count in done.sources.items():
            self._metrics.rows_answered(model.name, model.version, source, seconds, count)
        values = [record.predicted_value for record in done.records if record.predicted_value is not None]
        if values:
            self._metrics.values_predicted(model.name, model.version, values)

    async def _written(self, records: list[PredictionRecord]) -> None:
        if len(records) <= SLICE_ROWS:
            return await self._log.append(records)
        writing = []
        for part in slices_of(len(records)):
            await self.turns.next()
            writing.append(self._log.append(records[part]))
        await asyncio.gather(*writing)
