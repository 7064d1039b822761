"""The OpenAPI document, made from the catalog's schemas and the tree of errors."""

from __future__ import annotations

from typing import Any

from auth.scopes import PREDICT, READ, predict_scope
from modelkit.definition import ModelDefinition
from serving.http.native import answer_fields
from serving.http.openapi_identity import identity_paths, identity_schemas, security_schemes
from serving.http.openapi_parts import (
    OPEN,
    allowed_by,
    answer,
    json_content,
    problem_schema,
    problems,
    schema_ref,
)

API_VERSION = "0.1.0"


def openapi_document(definitions: list[ModelDefinition], *, issues_tokens: bool = True) -> dict[str, Any]:
    """OpenAPI 3.1 of the native API. Without `issues_tokens`, as it is where others issue all tokens."""
    paths: dict[str, Any] = {}
    for definition in definitions:
        paths[f"/predict/{definition.name}"] = {"post": _predict_operation(definition)}
        if definition.path is not None:
            operation = _predict_operation(definition)
            paths[definition.path] = {
                "post": operation | {"operationId": definition.path.strip("/"), "tags": ["predictions"]}
            }
    paths["/predict"] = {"post": _predict_any_operation(definitions)}
    names = [definition.name for definition in definitions]
    paths |= _plain_paths(names) | identity_paths(issues_tokens=issues_tokens)
    for path, methods in paths.items():
        for operation in methods.values():
            operation.setdefault("tags", [_tag(path)])
            operation["security"] = _known(operation["security"], issues_tokens=issues_tokens)
    schemas: dict[str, Any] = {
        definition.request.__name__: _request_schema(definition) for definition in definitions
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Slipway", "version": API_VERSION, "license": {"name": "Apache-2.0"}},
        "paths": paths,
        "components": {
            "schemas": {**schemas, "Problem": problem_schema(), **identity_schemas()},
            "securitySchemes": security_schemes(names, issues_tokens=issues_tokens),
        },
        "security": [{"bearer": []}],
    }


def _known(security: list[dict[str, Any]], *, issues_tokens: bool) -> list[dict[str, Any]]:
    """Without the schemes that are not there."""
    return [each for each in security if issues_tokens or each.keys().isdisjoint(("oauth2", "client"))]


def _tag(path: str) -> str:
    tags = {
        **{"/predict": "predictions", "/models": "models"},
        **{"/login": "identity", "/auth": "identity", "/.well-known": "identity"},
    }
    return next((tag for start, tag in tags.items() if path.startswith(start)), "status")


def _predict_operation(definition: ModelDefinition) -> dict[str, Any]:
    row = schema_ref(definition.request.__name__)
    fields = answer_fields(definition)
    one = {"type": "object", "properties": fields, "required": list(fields)}
    body = {"oneOf": [row, _batch_of(row)]}
    return {
        "summary": definition.description,
        "operationId": f"predict_{definition.package}",
        "security": allowed_by(PREDICT, predict_scope(definition.name)),
        "requestBody": json_content(body, examples=[dict(example) for example in definition.examples]),
        "responses": {"200": answer("The prediction", {"oneOf": [one, _batch_answer(one)]}), **problems()},
    }


def _predict_any_operation(definitions: list[ModelDefinition]) -> dict[str, Any]:
    rows = [schema_ref(definition.request.__name__) for definition in definitions]
    return {
        "summary": "Predict with the default model, or the only one whose schema accepts the body.",
        "operationId": "predict",
        "security": allowed_by(PREDICT, *(predict_scope(definition.name) for definition in definitions)),
        "requestBody": json_content({"anyOf": [*rows, *(_batch_of(row) for row in rows)]}),
        "responses": {"200": answer("The prediction", {"type": "object"}), **problems()},
    }


def _plain_paths(names: list[str]) -> dict[str, Any]:
    def get(summary: str, *, secured: bool, also: tuple[int, ...] = ()) -> dict[str, Any]:
        responses = {"200": answer(summary, {"type": "object"}), **problems()}
        for status in also:
            responses[str(status)] = answer(summary, {"type": "object"})
        security = allowed_by(READ) if secured else OPEN
        return {"get": {"summary": summary, "responses": responses, "security": security}}

    paths = {
        "/models": get("Every model with the versions loaded and desired.", secured=True),
        "/models/info": get("The same as /models.", secured=True),
        "/health": get("Overall state and each model's load state.", secured=False),
        "/status": get("That the service answers.", secured=False),
        "/livez": get("Liveness probe.", secured=False),
        "/healthz": get("Liveness probe.", secured=False),
        "/readyz": get("Readiness probe, with reasons.", secured=False, also=(503,)),
    }
    for name in names:
        paths[f"/models/{name}"] = get("One model, with its card.", secured=True)
        paths[f"/models/{name}/history"] = get("Who moved which alias, when and why.", secured=True)
    return paths


def _request_schema(definition: ModelDefinition) -> dict[str, Any]:
    return definition.request.model_json_schema(ref_template="#/components/schemas/{model}")


def _batch_of(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "instances": {"type": "array", "items": row, "minItems": 1},
            "on_error": {"enum": ["fail", "skip"], "default": "fail"},
        },
        "required": ["instances"],
        "additionalProperties": False,
    }


def _batch_answer(one: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "model": {"type": "string"},
        "model_version": {"type": "string"},
        "predictions": {"type": "array", "items": {"oneOf": [one, {"type": "null"}]}},
        "errors": {"type": "array", "items": {"type": "object"}},
    }
    return {"type": "object", "properties": fields, "required": list(fields)}
