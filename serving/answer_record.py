"""The record of one answered row, as it goes into the prediction log."""

from __future__ import annotations

import time

import msgspec

from records.prediction_record import NO_PREDICTION, PredictionRecord
from serving.asking import Answer, Asking
from serving.loaded_model import LoadedModel
from serving.outcome import encode_outcome


def answer_record(model: LoadedModel, answer: Answer, text: bytes, asking: Asking) -> PredictionRecord:
    """`text` is the canonical row."""
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
        arm=asking.arm,
    )
