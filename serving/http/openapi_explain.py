"""The part of the OpenAPI document about explanations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from auth.scopes import PREDICT, predict_scope
from modelkit import errors
from modelkit.definition import ModelDefinition
from modelkit.explanation import By
from serving.http.native import answer_fields
from serving.http.openapi_headers import ANSWERED
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
from serving.http.openapi_predictions import base_name, by_row, entity_problems

EXPLANATION = (  # besides CALLER and BODY
    errors.InsufficientScope,
    errors.RateLimited,
    errors.ExplanationFailed,
    errors.ModelNotReady,
    errors.ExplainerUnavailable,
    errors.DeadlineExceeded,
)
NUMBER = {"type": "number"}
NUMBERS = {"type": "object", "additionalProperties": NUMBER}
OF_WHAT = {
    "name": "by",
    "in": "query",
    "required": False,
    "description": "what contributes: the fields of the row, or the features that the model makes of them",
    "schema": {"type": "string", "enum": [each.value for each in By], "default": By.FIELDS.value},
}


def explain_paths(definitions: Sequence[ModelDefinition], *, max_rows: int) -> dict[str, Any]:
    return {
        f"/explain/{definition.name}": {"post": _explain(definition, max_rows)} for definition in definitions
    }


def explain_schemas(definitions: Sequence[ModelDefinition]) -> dict[str, Any]:
    schemas: dict[str, Any] = {}
    for definition in definitions:
        base = base_name(definition)
        schemas |= {
            f"{base}Explanation": _one(definition),
            f"{base}Explanations": by_row(definition, "explanations", "Explanation"),
        }
    return schemas


def _explain(definition: ModelDefinition, max_rows: int) -> dict[str, Any]:
    base = base_name(definition)
    few = {"properties": {"instances": {"maxItems": max_rows}}}
    bodies = [
        schema_ref(definition.request.__name__),
        *({**schema_ref(f"{base}{kind}"), **few} for kind in ("Batch", "SkippingBatch")),
    ]
    replies = [schema_ref(f"{base}{kind}") for kind in ("Explanation", "Explanations")]
    return {
        "summary": f"Explain a prediction of {definition.name}.",
        "description": (
            "Contributions that add up to the prediction from the mean of a stated background. "
            f"One row, or up to {max_rows} as `instances`."
        ),
        "operationId": f"explain_{definition.package}",
        "tags": ["explanations"],
        "security": allowed_by(PREDICT, predict_scope(definition.name)),
        "parameters": [OF_WHAT],
        "requestBody": json_content({"anyOf": bodies}, examples=[dict(each) for each in definition.examples]),
        "responses": {
            "200": answer("The explanation", {"anyOf": replies}, headers=ANSWERED),
            **problems_of(*CALLER, *BODY, *EXPLANATION, *entity_problems([definition])),
        },
    }


def _one(definition: ModelDefinition) -> dict[str, Any]:
    fields = answer_fields(definition)
    same = {name: fields[name] for name in ("prediction", "units", "model", "model_version", "cached")}
    value = "the number that is explained: the prediction, or the probability of the class that it names"
    return closed_object(
        **same,
        value={**NUMBER, "description": value},
        base_value={**NUMBER, "description": "the mean of the background's values"},
        contributions={**NUMBERS, "description": "largest first; with `base_value` they add up to `value`"},
        standard_error={
            "anyOf": [NUMBERS, {"type": "null"}],
            "description": "of each contribution where they are estimated; null where they are exact",
        },
        by={"type": "string", "enum": [each.value for each in By]},
        method={"type": "string", "enum": ["exact", "tree", "permutation"]},
        background=closed_object(
            rows={"type": "integer", "minimum": 1},
            source={"type": "string", "enum": ["training", "golden"]},
        ),
    )
