"""The shadow: after rows were answered and shipped, a sample of them is asked of the challenger, and both answers are kept.

It runs here and not in the request process, which does nothing for it; the rows come from the log, so what is not in the
log (a crash, a full queue, redacted fields) is not in the sample. What it may use of a core is measured, and slept off.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable
from typing import NamedTuple, Protocol

import msgspec
import structlog

from records.prediction_record import PredictionRecord
from records.shadow_predictions import ShadowAnswer
from serving.agent.latest_models import LatestModels
from serving.agent.shadow_metrics import ShadowMetrics
from serving.agent.shadow_queue import ShadowQueue
from serving.loaded_model import LoadedModel
from serving.outcome import Outcome, decode_outcome

ROWS_PER_STEP = 256  # one transaction; each is a wait for the disk, which others use, too
IDLE_SECONDS = 0.25


class NotWritten(Exception):
    """SQL did not take the answers."""


class ShadowTable(Protocol):
    def insert(self, answers: list[ShadowAnswer]) -> int:
        """Commits those that are not there yet and returns how many were new. Raises NotWritten."""


class Versions(NamedTuple):
    """What rows are tried on, and what is timed beside it."""

    challengers: LatestModels
    production: LatestModels


class Shadow:
    """`step` does a few rows and says how long to pause so that `cpu_share` of a core is kept to."""

    def __init__(
        self,
        rows: ShadowQueue,
        versions: Versions,
        table: ShadowTable,
        metrics: ShadowMetrics,
        *,
        cpu_share: float,
    ) -> None:
        self._rows, self._versions, self._table = rows, versions, table
        self._metrics, self._share = metrics, cpu_share
        self._turns = itertools.cycle((True, False))
        self._log = structlog.get_logger("slipway.agent")

    def step(self) -> float:
        started = time.thread_time()
        records = self._rows.take(ROWS_PER_STEP)
        for model in sorted({record.model for record in records}):
            self._compare(model, [record for record in records if record.model == model])
        spent = time.thread_time() - started
        pause = max(0.0, spent / self._share - spent)
        return pause if records else max(pause, IDLE_SECONDS)

    def _compare(self, name: str, records: list[PredictionRecord]) -> None:
        challenger = self._versions.challengers.of(name)
        if challenger is None:
            return self._metrics.compared(name, "", "no_challenger", len(records))
        others = [record for record in records if record.version != challenger.version]
        self._metrics.compared(name, challenger.version, "same_version", len(records) - len(others))
        production = self._versions.production.of(name)
        answers = list(self._answers(challenger, production, others))
        self._metrics.compared(name, challenger.version, "failed", len(others) - len(answers))
        self._write(challenger, answers)

    def _answers(
        self, challenger: LoadedModel, production: LoadedModel | None, records: list[PredictionRecord]
    ) -> Iterable[ShadowAnswer]:
        for record in records:
            beside = production if production and production.version == record.version else None
            try:
                row = challenger.rows.decode_one(bytes(record.features))
                outcome, seconds, beside_seconds = self._timed(challenger, beside, row)
            except Exception as error:  # a row that this version's code cannot take
                self._log.warning("shadow failed", model=record.model, reason=type(error).__name__)
                continue
            if outcome.is_finite():
                self._metrics.differed(record.model, challenger.version, difference(record, outcome))
                yield ShadowAnswer(
                    prediction_id=record.prediction_id,
                    model=record.model,
                    version=challenger.version,
                    predicted_value=outcome.number,
                    prediction=None if outcome.probabilities is None else msgspec.to_builtins(outcome),
                    outcome="ok",
                    latency_ms=seconds * 1000,
                    answered_latency_ms=None if beside_seconds is None else beside_seconds * 1000,
                )

    def _timed(
        self, challenger: LoadedModel, beside: LoadedModel | None, row: msgspec.Struct
    ) -> tuple[Outcome, float, float | None]:
        """Who goes second finds warm caches: they take turns."""
        if beside is None:
            return *_predict(challenger, row), None
        if next(self._turns):
            _, beside_seconds = _predict(beside, row)
            return *_predict(challenger, row), beside_seconds
        outcome, seconds = _predict(challenger, row)
        return outcome, seconds, _predict(beside, row)[1]

    def _write(self, challenger: LoadedModel, answers: list[ShadowAnswer]) -> None:
        name, version = challenger.name, challenger.version
        try:
            new = self._table.insert(answers)
        except NotWritten as error:
            self._log.warning("shadow answers not written", model=name, reason=str(error))
            return self._metrics.compared(name, version, "not_written", len(answers))
        self._metrics.compared(name, version, "written", new)
        self._metrics.compared(name, version, "repeated", len(answers) - new)


def difference(record: PredictionRecord, outcome: Outcome) -> float:
    """Between numbers; of labels, whether they differ."""
    if outcome.number is not None and record.predicted_value is not None:
        return abs(outcome.number - record.predicted_value)
    return float(decode_outcome(record.prediction).prediction != outcome.prediction)


def _predict(model: LoadedModel, row: msgspec.Struct) -> tuple[Outcome, float]:
    """Features and compiled model of one row, and how long they took."""
    started = time.perf_counter()
    (outcome,) = model.predict([row])
    return outcome, time.perf_counter() - started
