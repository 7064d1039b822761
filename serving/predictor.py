"""The one use case: rows of a model in, answers out, each cached where possible and logged before it leaves.

Protocols differ in how they read a request and write an answer; all of them come through here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import msgspec

from modelkit.fingerprint import canonical
from serving.answer_record import answer_record
from serving.asking import Answer as Answer
from serving.asking import Asking as Asking
from serving.cache import AnswerCache
from serving.finding import Finding
from serving.loaded_model import LoadedModel
from serving.many_rows import Answered, ManyRows
from serving.metrics import Metrics
from serving.model_calls import ModelCalls
from serving.outcome import Outcome
from serving.overload.control import Overload
from serving.redaction import RecordLog


class Predictor:
    """Stateless but for what is in flight: rows waiting for their turn, and misses that others may join. `overload` is told."""

    def __init__(
        self,
        cache: AnswerCache | None,
        log: RecordLog,
        metrics: Metrics,
        *,
        new_id: Callable[[], str],
        overload: Overload,
    ) -> None:
        self._log, self._metrics, self._new_id, self._overload = log, metrics, new_id, overload
        self._local = _nothing_known if cache is None else cache.local
        self._calls = ModelCalls(metrics)
        self._finding = Finding(cache, self._calls)
        self._many = ManyRows(self._finding, log, metrics, new_id=new_id, seen=overload.many)
        self.turns = self._many.turns

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being computed."""
        return self._finding.is_idle

    def record_stages(self) -> None:
        """From now on some requests want to know what they spent their time on."""
        self._calls.records_stages = True

    async def predict(self, model: LoadedModel, row: msgspec.Struct, asking: Asking) -> Answer:
        """One row's answer. Raises PredictionFailed, DeadlineExceeded or LogUnavailable; then nothing was logged."""
        overload, stages = self._overload, asking.stages
        overload.in_progress += 1
        try:
            text = canonical(row)
            key = model.fingerprint.of(text)
            known = self._local(model.name, key)
            if stages is not None:
                stages.asked(model.name, model.version, 1)
                stages.ended("cache")
            if known is not None:
                outcome, source = known, "cache"
            else:
                outcome, source = await self._finding.one(model, row, key, asking)
            answer = Answer(outcome, self._new_id(), source != "model")
            if stages is not None:
                stages.went_on()
                stages.all_cached = answer.cached
            await self._log.append([answer_record(model, answer, text, asking)])
        finally:
            overload.in_progress -= 1
        if stages is not None:
            stages.ended("log")
        seconds = time.perf_counter() - asking.arrived
        overload.singles += 1
        overload.waited += seconds
        self._tell(model, outcome, source, seconds)
        return answer

    def _tell(self, model: LoadedModel, outcome: Outcome, source: str, seconds: float) -> None:
        metrics, number = self._metrics, outcome.number
        metrics.row_answered(model.name, model.version, "ok", source, seconds)
        if number is not None:
            metrics.value_predicted(model.name, model.version, number)

    async def predict_each(
        self, model: LoadedModel, rows: Sequence[msgspec.Struct], asking: Asking, *, skips: bool
    ) -> list[Answered]:
        """For any number of rows, one entry each. Unless it `skips` rows that fail, it ends with the first slice in
        which one does, and nothing is logged. Raises DeadlineExceeded or LogUnavailable.
        """
        self._overload.came(asking.principal.subject, len(rows))
        try:
            return await self._many.answers(model, rows, asking, skips=skips)
        finally:
            self._overload.ended(len(rows), time.perf_counter() - asking.arrived)


def _nothing_known(model: str, key: bytes) -> Outcome | None:
    """The answer cache where there is none."""
    return None
