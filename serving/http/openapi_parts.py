"""What the operations of the OpenAPI document are put together from: contents, answers, problems, who may ask."""

from __future__ import annotations

from typing import Any

from modelkit.errors import SlipwayError
from serving.http.problems import PROBLEM_JSON, problem_types

JSON_TYPE = "application/json"
PROBLEM_REF = {"$ref": "#/components/schemas/Problem"}
OPEN: list[dict[str, Any]] = []


def schema_ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def json_content(schema: dict[str, Any], *, examples: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": schema}
    if examples:
        content["examples"] = {f"example{place}": {"value": value} for place, value in enumerate(examples, 1)}
    return {"required": True, "content": {JSON_TYPE: content}}


def answer(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {JSON_TYPE: {"schema": schema}}}


def problems() -> dict[str, Any]:
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


def allowed_by(*scopes: str) -> list[dict[str, Any]]:
    """Any one of the scopes is enough; without one, any token is. `oauth2` is how Swagger UI gets a token by itself."""
    each = [[scope] for scope in scopes] or [[]]
    return [{"bearer": []}, *({"oauth2": needed} for needed in each)]


def problem_schema() -> dict[str, Any]:
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
