"""One answered prediction as it travels from the request process through the spool into SQL.

Kept apart from `prediction_log` so that the request process can name it without importing SQLAlchemy.
"""

from __future__ import annotations

import msgspec

NO_PREDICTION = msgspec.Raw(b"null")


class PredictionRecord(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """`features` is the canonical request row as JSON, `prediction` a classifier's label and probabilities
    as JSON, or NO_PREDICTION for a regressor (msgspec cannot decode `Raw | None`).

    `created_at` is seconds since the epoch, `latency_ms` from the request's arrival to this record. What has a default may
    be missing in a spool that an earlier release wrote. `arm` is one of `records.split_arms`, or empty: no split was at work.
    """

    prediction_id: str
    model: str
    version: str
    request_id: str
    subject: str
    user_id: int | None
    features: msgspec.Raw
    predicted_value: float | None
    prediction: msgspec.Raw
    outcome: str
    cached: bool
    latency_ms: float
    created_at: float
    lower: float | None = None
    upper: float | None = None
    trace_id: str = ""
    split_key: str = ""
    arm: str = ""
