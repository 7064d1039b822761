"""A line for each answered row: features, prediction and how the model's predictions have run so far.

The features are those of the record, so what is redacted there is not here either.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Any

import msgspec

from records.prediction_record import PredictionRecord
from serving.outcome import decode_outcome
from serving.redaction import RecordLog
from serving.request_log.writer import Stream

_encode = msgspec.json.Encoder().encode


class Running:
    """Count, mean and standard deviation of numbers that come one by one (Welford's recurrence)."""

    __slots__ = ("_squares", "count", "mean")

    def __init__(self) -> None:
        self.count, self.mean, self._squares = 0, 0.0, 0.0

    def add(self, value: float) -> None:
        self.count += 1
        away = value - self.mean
        self.mean += away / self.count
        self._squares += away * (value - self.mean)

    @property
    def deviation(self) -> float:
        """Of the numbers so far; 0 for the first."""
        return math.sqrt(self._squares / (self.count - 1)) if self.count > 1 else 0.0


class _Line(msgspec.Struct, omit_defaults=True, gc=False, kw_only=True):
    logger: str
    event: str
    level: str
    timestamp: datetime
    model: str
    version: str
    user_id: Any
    prediction: float | str | None
    latency_ms: float
    features: msgspec.Raw
    running_count: int
    request_id: str
    prediction_id: str
    trace_id: str
    cached: bool
    lower: float | None = None
    upper: float | None = None
    probabilities: dict[str, float] | None = None
    total_orders: Any = None
    running_mean: float | None = None
    running_std: float | None = None


class _Named(msgspec.Struct, gc=False):
    """Features that have a name of their own in the line."""

    user_id: Any = None
    total_orders: Any = None


_decode_named = msgspec.json.Decoder(_Named).decode


class ModelLines:
    """What runs is this worker's, per version, from its start. `user_id` is the row's, or else the caller's."""

    def __init__(self) -> None:
        self._running: dict[tuple[str, str], Running] = {}

    def __call__(self, record: PredictionRecord) -> bytes:
        named = _decode_named(record.features)
        line = _Line(
            logger="slipway.model",
            event="PREDICTION",
            level="info",
            timestamp=datetime.fromtimestamp(record.created_at, UTC),
            model=record.model,
            version=record.version,
            user_id=record.user_id if named.user_id is None else named.user_id,
            prediction=record.predicted_value,
            latency_ms=record.latency_ms,
            features=record.features,
            running_count=0,
            request_id=record.request_id,
            prediction_id=record.prediction_id,
            trace_id=record.trace_id,
            cached=record.cached,
            lower=record.lower,
            upper=record.upper,
            total_orders=named.total_orders,
        )
        self._run(record, line)
        return _encode(line) + b"\n"

    def _run(self, record: PredictionRecord, line: _Line) -> None:
        running = self._running.setdefault((record.model, record.version), Running())
        if record.predicted_value is None:  # a class has no mean
            outcome = decode_outcome(record.prediction)
            line.prediction, line.probabilities = outcome.prediction, outcome.probabilities
            running.count += 1
        else:
            running.add(record.predicted_value)
            line.running_mean, line.running_std = running.mean, running.deviation
        line.running_count = running.count


class ToldLog:
    """RecordLog whose rows get a line once the log has taken them."""

    def __init__(self, log: RecordLog, stream: Stream[PredictionRecord]) -> None:
        self._log, self._stream = log, stream

    def append(self, records: list[PredictionRecord]) -> Awaitable[None]:
        return self._told(self._log.append(records), records)

    async def _told(self, written: Awaitable[None], records: list[PredictionRecord]) -> None:
        await written
        self._stream.items.extend(records)
