"""Calls of compiled models: rows that arrive in one turn of the loop share a call, and a row that fails fails alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import msgspec
import structlog

from modelkit.errors import DeadlineExceeded, PredictionFailed
from serving.asking import Asking
from serving.coalesce import Coalescer
from serving.loaded_model import LoadedModel
from serving.metrics import Metrics
from serving.outcome import Outcome
from serving.tracing.stages import Stages
from serving.turns import SLICE_ROWS

MAX_ROWS_PER_CALL = 64
# From here on rows of one request gain nothing from company.
ENOUGH_FOR_A_CALL = 8
# What the model may take of a slice, and the fewest rows that are worth a call.
MODEL_SECONDS, LEAST_ROWS = 0.0005, 8
_NEWEST = 0.2

# A row that waits for its model, and for whom: until when, and where it is told how long that took, if anybody wants to know.
Waiting = tuple[LoadedModel, msgspec.Struct, Asking]
Computed = Outcome | BaseException


class ModelCalls:
    """`records_stages`: some requests want to know what their rows' call took."""

    def __init__(self, metrics: Metrics) -> None:
        self.records_stages = False
        self._metrics = metrics
        self._turn: Coalescer[Waiting, Outcome] = Coalescer(self._run_turn, max_items=MAX_ROWS_PER_CALL)
        self._seconds_a_row: dict[str, float] = {}
        self._service_log = structlog.get_logger("slipway.service")
        self.one = self._turn.submit

    async def many(
        self, model: LoadedModel, rows: Sequence[msgspec.Struct], asking: Asking
    ) -> Sequence[Computed]:
        """One outcome or failure per row of a slice."""
        if len(rows) < ENOUGH_FOR_A_CALL:
            waiting = [self.one((model, row, asking)) for row in rows]
            return await asyncio.gather(*waiting, return_exceptions=True)
        started, spent = time.perf_counter(), time.thread_time()
        results = self._run(model, rows)
        # What others on the machine took of the time meanwhile says nothing about the model.
        self._learn(model, (time.thread_time() - spent) / len(rows))
        if asking.stages is not None:
            asking.stages.add("model", started, time.perf_counter(), rows=len(rows), shared_rows=len(rows))
        return results

    def slice_rows(self, model: LoadedModel) -> int:
        """How many rows of a large request make one slice: fewer where the model is slow."""
        known = self._seconds_a_row.get(model.name)
        if known is None:
            return ENOUGH_FOR_A_CALL
        return max(LEAST_ROWS, min(SLICE_ROWS, int(MODEL_SECONDS / known)))

    def _learn(self, model: LoadedModel, seconds: float) -> None:
        known = self._seconds_a_row.get(model.name, seconds)
        self._seconds_a_row[model.name] = known + _NEWEST * (seconds - known)

    def _run_turn(self, turn: list[Waiting]) -> list[Outcome | Exception]:
        """One call per model version that has rows in this turn: nearly always one call. Nobody waits for a late row."""
        now = time.perf_counter()
        results: list[Outcome | Exception] = [DeadlineExceeded()] * len(turn)
        places: dict[int, list[int]] = {}
        for place, (model, _, asking) in enumerate(turn):
            if asking.deadline >= now:
                places.setdefault(id(model), []).append(place)
        for group in places.values():
            model = turn[group[0]][0]
            started = time.perf_counter() if self.records_stages else 0.0
            for place, result in zip(
                group, self._run(model, [turn[place][1] for place in group]), strict=True
            ):
                results[place] = result
            if self.records_stages:
                _tell([turn[place][2].stages for place in group], started, time.perf_counter())
        return results

    def _run(self, model: LoadedModel, rows: Sequence[msgspec.Struct]) -> list[Outcome | Exception]:
        started = time.perf_counter()
        try:
            outcomes = [self._finite(model, outcome) for outcome in model.predict(rows)]
        except Exception as error:  # a bug in a model's feature code must not fail its neighbours in the turn
            if len(rows) == 1:
                self._service_log.error(
                    "prediction failed", model=model.name, version=model.version, exc_info=error
                )
                self._failed(model)
                return [PredictionFailed()]
            return [result for row in rows for result in self._run(model, [row])]
        self._metrics.model_called(model.name, model.version, len(rows), time.perf_counter() - started)
        return outcomes

    def _finite(self, model: LoadedModel, outcome: Outcome) -> Outcome | Exception:
        if outcome.is_finite():
            return outcome
        self._failed(model)
        return PredictionFailed("the model gave no finite number for this row")

    def _failed(self, model: LoadedModel) -> None:
        self._metrics.row_answered(model.name, model.version, "model_error", "model", 0.0)


def _tell(askers: list[Stages | None], started: float, ended: float) -> None:
    """Each request is told of the call that its rows shared with those of others."""
    for stages in {id(asker): asker for asker in askers}.values():
        if stages is not None:
            own = sum(asker is stages for asker in askers)
            stages.add("model", started, ended, rows=own, shared_rows=len(askers))
