"""The part of the OpenAPI document about feedback."""

from __future__ import annotations

from typing import Any

from auth.scopes import FEEDBACK
from modelkit.errors import FeedbackUnavailable, InsufficientScope, RateLimited
from records.truth import PLAUSIBLE
from serving.http.openapi_headers import RATE_LIMIT
from serving.http.openapi_parts import (
    BODY,
    CALLER,
    allowed_by,
    answer,
    closed_object,
    json_content,
    problems_of,
    schema_ref,
)

COUNT: dict[str, Any] = {"type": "integer", "minimum": 0}
PREDICTION_ID: dict[str, Any] = {"type": "string", "pattern": "^[0-9A-HJKMNP-TV-Z]{26}$"}
ACTUAL: dict[str, Any] = {
    "description": "A number for a regressor, one of the model's labels for a classifier.",
    "oneOf": [
        {"type": "number", "minimum": -PLAUSIBLE, "maximum": PLAUSIBLE},
        {"type": "string", "minLength": 1, "maxLength": 200, "pattern": r"^[^\u0000-\u001f\u007f]+$"},
    ],
}
EXAMPLE = {"prediction_id": "01KD0V9M3QW2ZJ5T8B7C6X4YHR", "actual": 61.2}


def feedback_paths(*, max_instances: int) -> dict[str, Any]:
    said = "Say what really happened after predictions. Truth may be late, early, repeated or corrected."
    bounds = {"type": "array", "minItems": 1, "maxItems": max_instances}
    truth = schema_ref("Truth")
    many = closed_object(
        {"on_error": {"type": "string", "enum": ["fail"], "default": "fail"}},
        feedback={**bounds, "items": truth},
    )
    skipping = closed_object(
        feedback={**bounds, "items": {}, "contains": truth}, on_error={"type": "string", "enum": ["skip"]}
    )
    body = {"anyOf": [truth, many, skipping]}
    operation = {
        "summary": said,
        "operationId": "feedback",
        "tags": ["feedback"],
        "security": allowed_by(FEEDBACK),
        "requestBody": json_content(body, examples=[EXAMPLE, {"feedback": [EXAMPLE], "on_error": "skip"}]),
        "responses": {
            "202": answer("How much of it was new", schema_ref("FeedbackTaken"), headers=RATE_LIMIT),
            **problems_of(*CALLER, *BODY, InsufficientScope, RateLimited, FeedbackUnavailable),
        },
    }
    return {"/feedback": {"post": operation}}


def feedback_schemas() -> dict[str, Any]:
    text = {"type": "string"}
    wrong = closed_object(pointer=text, detail=text, row={"type": ["integer", "null"]})
    counts = {name: COUNT for name in ("accepted", "repeated", "changed")}
    return {
        "Truth": closed_object(prediction_id=PREDICTION_ID, actual=ACTUAL),
        "FeedbackTaken": closed_object(**counts, errors={"type": "array", "items": wrong}),
    }
