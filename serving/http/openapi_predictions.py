"""The part of the OpenAPI document about predictions: what each model takes and answers, exactly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from auth.scopes import PREDICT, predict_scope
from modelkit.definition import ModelDefinition
from modelkit.errors import AmbiguousModel, SlipwayError
from serving.http.native import answer_fields
from serving.http.openapi_headers import PATIENCE, PREDICTED, TEXT
from serving.http.openapi_parts import (
    BODY,
    CALLER,
    ENTITY,
    PREDICTION,
    allowed_by,
    answer,
    closed_object,
    json_content,
    problems_of,
    schema_ref,
)
from serving.typed_answers import api_name

# Local times: what `date-time` (RFC 3339) calls one has an offset, and these have none. The calendar is part of the
# pattern, so that whatever fits it is taken.
_YEAR = r"([0-9]{3}[1-9]|[0-9]{2}[1-9][0-9]|[0-9][1-9][0-9]{2}|[1-9][0-9]{3})"
_LEAP_YEAR = r"([0-9]{2}(0[48]|[2468][048]|[13579][26])|(0[48]|[2468][048]|[13579][26])00)"
_LONG, _SHORT = r"(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])", r"(0[469]|11)-(0[1-9]|[12][0-9]|30)"
_DAY = rf"({_YEAR}-({_LONG}|{_SHORT}|02-(0[1-9]|1[0-9]|2[0-8]))|{_LEAP_YEAR}-02-29)"
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.,][0-9]+)?)?"
LOCAL_TIME = {"format": "date-time-local", "pattern": f"^{_DAY}[Tt _]{_TIME}$"}


def prediction_paths(definitions: Sequence[ModelDefinition]) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for definition in definitions:
        paths[f"/predict/{definition.name}"] = {"post": _predict(definition)}
        if definition.path is not None:
            own = definition.path.strip("/").replace("-", "_")
            paths[definition.path] = {"post": {**_predict(definition), "operationId": own}}
        paths[f"/{api_name(definition)}"] = {"post": _typed(definition)}
    paths["/predict"] = {"post": _predict_any(definitions)}
    return paths


def prediction_schemas(definitions: Sequence[ModelDefinition], *, max_instances: int) -> dict[str, Any]:
    schemas: dict[str, Any] = {"RowError": _row_error()}
    for definition in definitions:
        row, base = schema_ref(definition.request.__name__), base_name(definition)
        fields = answer_fields(definition)
        schemas |= {
            definition.request.__name__: request_schema(definition),
            f"{base}Batch": _batch(row, max_instances),
            f"{base}SkippingBatch": _skipping_batch(row, max_instances),
            f"{base}V1Batch": _batch(row, max_instances, **SIGNATURE),
            f"{base}V1SkippingBatch": _skipping_batch(row, max_instances, **SIGNATURE),
            f"{base}Answer": closed_object(**fields),
            f"{base}Answers": by_row(definition, "predictions", "Answer"),
        }
    return schemas


def base_name(definition: ModelDefinition) -> str:
    """What the names of a model's schemas start with."""
    return definition.request.__name__.removesuffix("Request")


def request_schema(definition: ModelDefinition) -> dict[str, Any]:
    """One row's, as pydantic says it, and as what pydantic takes for a local time."""
    schema = definition.request.model_json_schema(ref_template="#/components/schemas/{model}")
    described: dict[str, Any] = _with_local_times(schema)
    return described


def entity_problems(definitions: Sequence[ModelDefinition]) -> tuple[type[SlipwayError], ...]:
    return ENTITY if any(definition.view is not None for definition in definitions) else ()


def _with_local_times(node: Any) -> Any:
    if isinstance(node, list):
        return [_with_local_times(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {name: _with_local_times(value) for name, value in node.items()}
    return {**kept, **LOCAL_TIME} if kept.get("format") == "date-time" else kept


def _bodies(definition: ModelDefinition) -> list[dict[str, Any]]:
    names = (
        definition.request.__name__,
        *(f"{base_name(definition)}{kind}" for kind in ("Batch", "SkippingBatch")),
    )
    return [schema_ref(name) for name in names]


def _replies(definition: ModelDefinition) -> list[dict[str, Any]]:
    return [schema_ref(f"{base_name(definition)}{kind}") for kind in ("Answer", "Answers")]


def _predict(definition: ModelDefinition) -> dict[str, Any]:
    return {
        "summary": f"Predict with {definition.name}.",
        "description": f"{definition.description} One row, or many as `instances`. {PATIENCE}",
        "operationId": f"predict_{definition.package}",
        "tags": ["predictions"],
        "security": allowed_by(PREDICT, predict_scope(definition.name)),
        "requestBody": json_content({"anyOf": _bodies(definition)}, examples=_examples(definition)),
        "responses": {
            "200": answer("The prediction", {"anyOf": _replies(definition)}, headers=PREDICTED),
            **problems_of(*CALLER, *BODY, *PREDICTION, *entity_problems([definition])),
        },
    }


def _typed(definition: ModelDefinition) -> dict[str, Any]:
    return {
        "summary": f"Predict one row with {definition.name}, for BentoML's clients.",
        "description": "The typed API that `bentoml.SyncHTTPClient` finds in the service.",
        "operationId": f"bento_{api_name(definition)}",
        "tags": ["BentoML"],
        "security": allowed_by(PREDICT, predict_scope(definition.name)),
        "requestBody": json_content(schema_ref(definition.request.__name__), examples=_examples(definition)),
        "responses": {
            "200": answer("The prediction", _replies(definition)[0]),
            **problems_of(*CALLER, *BODY, *PREDICTION, *entity_problems([definition])),
        },
    }


def _predict_any(definitions: Sequence[ModelDefinition]) -> dict[str, Any]:
    bodies = [body for definition in definitions for body in _bodies(definition)]
    replies = [reply for definition in definitions for reply in _replies(definition)]
    scopes = (PREDICT, *(predict_scope(definition.name) for definition in definitions))
    problems = problems_of(*CALLER, *BODY, AmbiguousModel, *PREDICTION, *entity_problems(definitions))
    return {
        "summary": "Predict with the model that the body fits.",
        "description": "The default model where there is one, otherwise the only one whose schema accepts the body.",
        "operationId": "predict",
        "tags": ["predictions"],
        "security": allowed_by(*scopes),
        "requestBody": json_content({"oneOf": bodies}),
        "responses": {"200": answer("The prediction", {"anyOf": replies}, headers=PREDICTED), **problems},
    }


def _examples(definition: ModelDefinition) -> list[dict[str, Any]]:
    return [dict(example) for example in definition.examples]


SIGNATURE = {
    "signature_name": {
        "type": "string",
        "enum": ["serving_default"],
        "description": "what TensorFlow Serving's clients send; a model has this one",
    }
}


def _batch(row: dict[str, Any], max_instances: int, **more: Any) -> dict[str, Any]:
    rows = {"type": "array", "items": row, "minItems": 1, "maxItems": max_instances}
    on_error = {"type": "string", "enum": ["fail"], "default": "fail"}
    schema = closed_object({"on_error": on_error, **more}, instances=rows)
    return {**schema, "description": "Rows that are answered all, or not at all."}


def _skipping_batch(row: dict[str, Any], max_instances: int, **more: Any) -> dict[str, Any]:
    rows = {"type": "array", "items": {}, "contains": row, "minItems": 1, "maxItems": max_instances}
    schema = closed_object(more, instances=rows, on_error={"type": "string", "enum": ["skip"]})
    return {**schema, "description": "Rows of which those are answered that are valid, at least one."}


def by_row(definition: ModelDefinition, field: str, kind: str) -> dict[str, Any]:
    """The answer to many rows: in `field` one schema of `kind` for each, null for a row that was skipped."""
    one = schema_ref(f"{base_name(definition)}{kind}")
    entries = {
        "type": "array",
        "items": {"anyOf": [one, {"type": "null"}]},
        "description": "one for each row of the request; null for a row that was skipped",
    }
    return closed_object(
        model={"type": "string", "const": definition.name},
        model_version=TEXT,
        **{field: entries},
        errors={"type": "array", "items": schema_ref("RowError")},
    )


def _row_error() -> dict[str, Any]:
    schema = closed_object(pointer=TEXT, detail=TEXT, row={"type": "integer", "minimum": 0})
    return {**schema, "description": "Why a row was skipped; `pointer` is a JSON pointer into the body."}
