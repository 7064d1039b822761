"""The one use case: rows of a model in, answers out, each cached where possible and logged before it leaves.

Protocols differ in how they read a request and write an answer; all of them come through here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import msgspec
import structlog

from auth.principal import Principal
from modelkit.errors import DeadlineExceeded, PredictionFailed
from modelkit.fingerprint import canonical
from records.prediction_record import NO_PREDICTION, PredictionRecord
from serving.cache import AnswerCache
from serving.coalesce import Coalescer
from serving.loaded_model import LoadedModel
from serving.metrics import Metrics
from serving.outcome import Outcome, encode_outcome
from serving.redaction import RecordLog
from serving.tracing.stages import Stages

MAX_ROWS_PER_CALL = 64

# An outcome and where it came from: `cache`, `joined` (another request was computing it) or `model`.
Found = tuple[Outcome, str]
# A row that waits for its model, and where it is told how long that took, if anybody wants to know.
Waiting = tuple[LoadedModel, msgspec.Struct, Stages | None]


class Asking(msgspec.Struct, frozen=True, gc=False):
    """Who asks, under which request id, when it arrived and when it must be answered (both `time.perf_counter`).

    `trace_id` is the W3C trace's, where there is one; `split_key` what an A/B split goes by, where that is not the caller;
    `stages` are of a request that is recorded.
    """

    request_id: str
    principal: Principal
    arrived: float
    deadline: float
    trace_id: str = ""
    split_key: str = ""
    stages: Stages | None = None


class Answer(msgspec.Struct, frozen=True, gc=False):
    """One row's answer as every protocol carries it."""

    outcome: Outcome
    prediction_id: str
    cached: bool


class Predictor:
    """Stateless but for what is in flight: rows waiting for their turn, and misses that others may join."""

    def __init__(
        self, cache: AnswerCache | None, log: RecordLog, metrics: Metrics, *, new_id: Callable[[], str]
    ) -> None:
        self.records_stages = False
        self._cache, self._log, self._metrics, self._new_id = cache, log, metrics, new_id
        self._local = _nothing_known if cache is None else cache.local
        self._computing: dict[bytes, asyncio.Future[Outcome | None]] = {}
        self._calls: Coalescer[Waiting, Outcome] = Coalescer(self._run_turn, max_items=MAX_ROWS_PER_CALL)
        self._service_log = structlog.get_logger("slipway.service")

    def record_stages(self) -> None:
        """From now on some requests want to know what they spent their time on."""
        self.records_stages = True

    async def predict(
        self, model: LoadedModel, rows: Sequence[msgspec.Struct], asking: Asking
    ) -> list[Answer]:
        """One answer per row. Raises PredictionFailed, DeadlineExceeded or LogUnavailable; then nothing was logged."""
        local, of = self._local, model.fingerprint.of
        texts, keys, known = [], [], []
        for row in rows:
            text = canonical(row)
            key = of(text)
            texts.append(text)
            keys.append(key)
            known.append(local(model.name, key))
        stages = asking.stages
        if stages is not None:
            stages.asked(model.name, model.version, len(rows))
            stages.ended("cache")
        found = (
            await self._complete(model, rows, keys, known, asking)
            if None in known
            else [(outcome, "cache") for outcome in known if outcome is not None]
        )
        if stages is not None:
            stages.went_on()
            stages.all_cached = all(source != "model" for _, source in found)
        answers, records = [], []
        for (outcome, source), text in zip(found, texts, strict=True):
            answer = Answer(outcome, self._new_id(), source != "model")
            answers.append(answer)
            records.append(_record(model, answer, text, asking))
        await self._log.append(records)
        if stages is not None:
            stages.ended("log")
        seconds = time.perf_counter() - asking.arrived
        for outcome, source in found:
            self._metrics.row_answered(model.name, model.version, "ok", source, seconds)
            if outcome.number is not None:
                self._metrics.value_predicted(model.name, model.version, outcome.number)
        return answers

    async def _complete(
        self,
        model: LoadedModel,
        rows: Sequence[msgspec.Struct],
        keys: list[bytes],
        known: list[Outcome | None],
        asking: Asking,
    ) -> list[Found]:
        """What this process does not know, from the shared cache, from another request, or from the model."""
        if len(rows) == 1:
            return [await self._find(model, rows[0], keys[0], asking)]
        missing = [place for place, each in enumerate(known) if each is None]
        found = await asyncio.gather(
            *(self._find(model, rows[place], keys[place], asking) for place in missing)
        )
        filled = dict(zip(missing, found, strict=True))
        return [filled[place] if each is None else (each, "cache") for place, each in enumerate(known)]

    async def _find(self, model: LoadedModel, row: msgspec.Struct, key: bytes, asking: Asking) -> Found:
        while (leader := self._computing.get(key)) is not None:
            started = time.perf_counter()
            outcome = await asyncio.shield(leader)
            if asking.stages is not None:
                asking.stages.add("joined", started, time.perf_counter(), rows=1)
            if outcome is not None:  # otherwise the leader failed or was cancelled: take its place
                return outcome, "joined"
        return await self._lead(model, row, key, asking)

    async def _lead(self, model: LoadedModel, row: msgspec.Struct, key: bytes, asking: Asking) -> Found:
        """Looks the row up and computes it once for everybody who asks meanwhile."""
        leader = self._computing[key] = asyncio.get_running_loop().create_future()
        outcome: Outcome | None = None
        cache, ttl = self._cache, model.definition.cache_ttl_seconds
        try:
            if cache is not None and cache.has_remote:
                started = time.perf_counter()
                outcome = await cache.remote(model.name, key, ttl_seconds=ttl)
                if asking.stages is not None:
                    asking.stages.add("cache.shared", started, time.perf_counter(), rows=1)
                if outcome is not None:
                    return outcome, "cache"
            if time.perf_counter() > asking.deadline:
                raise DeadlineExceeded
            outcome = await self._calls.submit((model, row, asking.stages))
            if cache is not None:
                cache.store(key, outcome, ttl_seconds=ttl)
            return outcome, "model"
        finally:
            del self._computing[key]
            if not leader.done():
                leader.set_result(outcome)

    def _run_turn(self, turn: list[Waiting]) -> list[Outcome | Exception]:
        """One call per model version that has rows in this turn: nearly always one call."""
        results: list[Outcome | Exception] = [PredictionFailed()] * len(turn)
        places: dict[int, list[int]] = {}
        for place, (model, _, _) in enumerate(turn):
            places.setdefault(id(model), []).append(place)
        for group in places.values():
            model = turn[group[0]][0]
            started = time.perf_counter() if self.records_stages else 0.0
            for place, result in zip(
                group, self._run(model, [turn[place][1] for place in group]), strict=True
            ):
                results[place] = result
            if self.records_stages:
                _tell([turn[place][2] for place in group], started, time.perf_counter())
        return results

    def _run(self, model: LoadedModel, rows: list[msgspec.Struct]) -> list[Outcome | Exception]:
        started = time.perf_counter()
        try:
            outcomes: list[Outcome | Exception] = [_finite(outcome) for outcome in model.predict(rows)]
        except Exception as error:  # a bug in a model's feature code must not fail its neighbours in the turn
            if len(rows) == 1:
                self._service_log.error(
                    "prediction failed", model=model.name, version=model.version, exc_info=error
                )
                self._metrics.row_answered(model.name, model.version, "model_error", "model", 0.0)
                return [PredictionFailed()]
            return [result for row in rows for result in self._run(model, [row])]
        self._metrics.model_called(model.name, model.version, len(rows), time.perf_counter() - started)
        return outcomes


def _tell(askers: list[Stages | None], started: float, ended: float) -> None:
    """Each request is told of the call that its rows shared with those of others."""
    for stages in {id(asker): asker for asker in askers}.values():
        if stages is not None:
            own = sum(asker is stages for asker in askers)
            stages.add("model", started, ended, rows=own, shared_rows=len(askers))


def _nothing_known(model: str, key: bytes) -> Outcome | None:
    """The answer cache where there is none."""
    return None


def _finite(outcome: Outcome) -> Outcome | Exception:
    return (
        outcome if outcome.is_finite() else PredictionFailed("the model gave no finite number for this row")
    )


def _record(model: LoadedModel, answer: Answer, text: bytes, asking: Asking) -> PredictionRecord:
    outcome = answer.outcome
    return PredictionRecord(
        prediction_id=answer.prediction_id,
        model=model.name,
        version=model.version,
        request_id=asking.request_id,
        subject=asking.principal.subject,
        user_id=asking.principal.user_id,
        features=msgspec.Raw(text),
        predicted_value=outcome.number,
        prediction=NO_PREDICTION if outcome.probabilities is None else msgspec.Raw(encode_outcome(outcome)),
        outcome="ok",
        cached=answer.cached,
        latency_ms=round((time.perf_counter() - asking.arrived) * 1000, 3),
        created_at=time.time(),
        lower=outcome.lower,
        upper=outcome.upper,
        trace_id=asking.trace_id,
        split_key=asking.split_key,
    )
