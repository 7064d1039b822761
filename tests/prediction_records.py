"""Prediction records made up for tests, and the figures of a metrics registry."""

from __future__ import annotations

from typing import Any

import msgspec
from prometheus_client import CollectorRegistry

from records.prediction_record import NO_PREDICTION, PredictionRecord

encode_record = msgspec.json.Encoder().encode


def made_record(prediction_id: str = "p-1", **changes: Any) -> PredictionRecord:
    values: dict[str, Any] = {
        "prediction_id": prediction_id,
        "model": "food-delivery",
        "version": "7",
        "request_id": "r-1",
        "subject": "ada",
        "user_id": None,
        "features": msgspec.Raw(b'{"distance_km":5.25}'),
        "predicted_value": 23.5,
        "prediction": NO_PREDICTION,
        "outcome": "ok",
        "cached": False,
        "latency_ms": 1.25,
        "created_at": 1_800_000_000.5,
    }
    return PredictionRecord(**{**values, **changes})


def payloads(*prediction_ids: str) -> list[bytes]:
    return [encode_record(made_record(name)) for name in prediction_ids]


def figure(registry: CollectorRegistry, name: str, **labels: str) -> float:
    """A sample's value; 0 where it was never recorded."""
    return registry.get_sample_value(name, labels) or 0.0
