"""The OpenAPI document, made from the catalog's schemas and the tree of errors."""

from __future__ import annotations

from typing import Any

from modelkit.definition import ModelDefinition
from modelkit.errors import SlipwayError
from serving.http.identity import Credentials
from serving.http.native import answer_fields
from serving.http.openapi_identity import identity_paths
from serving.http.problems import PROBLEM_JSON, problem_types

API_VERSION = "0.1.0"
PROBLEM_REF = {"$ref": "#/components/schemas/Problem"}


def openapi_document(definitions: list[ModelDefinition]) -> dict[str, Any]:
    """OpenAPI 3.1 of the native API."""
    paths: dict[str, Any] = {}
    for definition in definitions:
        paths[f"/predict/{definition.name}"] = {"post": _predict_operation(definition)}
        if definition.path is not None:
            operation = _predict_operation(definition)
            paths[definition.path] = {
                "post": operation | {"operationId": definition.path.strip("/"), "tags": ["predictions"]}
            }
    paths["/predict"] = {"post": _predict_any_operation(definitions)}
    paths |= _plain_paths([definition.name for definition in definitions])
    paths |= identity_paths(_problems())
    for path, methods in paths.items():
        for operation in methods.values():
            operation.setdefault("tags", [_tag(path)])
    schemas: dict[str, Any] = {
        definition.request.__name__: _request_schema(definition) for definition in definitions
    }
    schemas |= {"Problem": _problem_schema(), "Credentials": Credentials.model_json_schema()}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Slipway", "version": API_VERSION, "license": {"name": "Apache-2.0"}},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
        "security": [{"bearer": []}],
    }


def _tag(path: str) -> str:
    tags = {"/predict": "predictions", "/models": "models", "/login": "identity", "/auth": "identity"}
    return next((tag for start, tag in tags.items() if path.startswith(start)), "status")


def _predict_operation(definition: ModelDefinition) -> dict[str, Any]:
    row = {"$ref": f"#/components/schemas/{definition.request.__name__}"}
    fields = answer_fields(definition)
    one = {"type": "object", "properties": fields, "required": list(fields)}
    body = {"oneOf": [row, _batch_of(row)]}
    return {
        "summary": definition.description,
        "operationId": f"predict_{definition.package}",
        "requestBody": _json_content(body, examples=[dict(example) for example in definition.examples]),
        "responses": {"200": _answer("The prediction", {"oneOf": [one, _batch_answer(one)]}), **_problems()},
    }


def _predict_any_operation(definitions: list[ModelDefinition]) -> dict[str, Any]:
    rows = [{"$ref": f"#/components/schemas/{definition.request.__name__}"} for definition in definitions]
    return {
        "summary": "Predict with the default model, or the only one whose schema accepts the body.",
        "operationId": "predict",
        "requestBody": _json_content({"anyOf": [*rows, *(_batch_of(row) for row in rows)]}),
        "responses": {"200": _answer("The prediction", {"type": "object"}), **_problems()},
    }


def _plain_paths(names: list[str]) -> dict[str, Any]:
    def get(summary: str, *, secured: bool, also: tuple[int, ...] = ()) -> dict[str, Any]:
        responses = {"200": _answer(summary, {"type": "object"}), **_problems()}
        for status in also:
            responses[str(status)] = _answer(summary, {"type": "object"})
        return {"get": {"summary": summary, "responses": responses, **({} if secured else {"security": []})}}

    paths = {
        "/models": get("Every model with the versions loaded and desired.", secured=True),
        "/models/info": get("The same as /models.", secured=True),
        "/auth/me": get("The caller's subject and scopes.", secured=True),
        "/health": get("Overall state and each model's load state.", secured=False),
        "/status": get("That the service answers.", secured=False),
        "/livez": get("Liveness probe.", secured=False),
        "/healthz": get("Liveness probe.", secured=False),
        "/readyz": get("Readiness probe, with reasons.", secured=False, also=(503,)),
        "/login": {
            "post": {
                "summary": "Exchange a user's name and password for a bearer token.",
                "security": [],
                "requestBody": _json_content({"$ref": "#/components/schemas/Credentials"}),
                "responses": {"200": _answer("The token", {"type": "object"}), **_problems()},
            }
        },
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


def _problem_schema() -> dict[str, Any]:
    text = {"type": "string"}
    fields: dict[str, Any] = {
        name: text for name in ("type", "title", "detail", "instance", "request_id", "error")
    }
    fields |= {"status": {"type": "integer"}, "code": {"enum": sorted(problem_types())}}
    fields["errors"] = {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"pointer": text, "detail": text, "row": {"type": "integer"}},
        },
    }
    required = list(fields)
    fields["error_description"] = text  # where `error` is a name of OAuth 2.0's
    return {"type": "object", "properties": fields, "required": required}


def _problems() -> dict[str, Any]:
    kinds: dict[int, list[type[SlipwayError]]] = {}
    for kind in problem_types().values():
        kinds.setdefault(kind.status, []).append(kind)
    return {
        str(status): {
            "description": "; ".join(kind.title for kind in group),
            "content": {PROBLEM_JSON.decode(): {"schema": PROBLEM_REF}},
        }
        for status, group in sorted(kinds.items())
    }


def _json_content(schema: dict[str, Any], *, examples: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": schema}
    if examples:
        content["examples"] = {f"example{place}": {"value": value} for place, value in enumerate(examples, 1)}
    return {"required": True, "content": {"application/json": content}}


def _answer(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}
