"""Checks bodies against the API's own description of a problem: as much of JSON Schema as that description uses."""

from __future__ import annotations

from typing import Any

import httpx

from serving.http.openapi import openapi_document
from serving.http.problems import PROBLEM_JSON

TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}
PROBLEM: dict[str, Any] = openapi_document([])["components"]["schemas"]["Problem"]


def faults(value: Any, schema: dict[str, Any], *, at: str = "") -> list[str]:
    """What is wrong with a value; members that the schema does not name are wrong too."""
    kinds = schema.get("type", list(TYPES))
    if not any(isinstance(value, TYPES[kind]) for kind in ([kinds] if isinstance(kinds, str) else kinds)):
        return [f"{at} is no {kinds}"]
    found = []
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{at} is not one of {schema['enum']}")
    if isinstance(value, dict) and "properties" in schema:
        found += _faults_of_members(value, schema, at)
    if isinstance(value, list):
        for place, item in enumerate(value):
            found += faults(item, schema.get("items", {}), at=f"{at}/{place}")
    return found


def _faults_of_members(value: dict[str, Any], schema: dict[str, Any], at: str) -> list[str]:
    found = [f"{at}/{name} is missing" for name in schema.get("required", ()) if name not in value]
    found += [f"{at}/{name} is not described" for name in value if name not in schema["properties"]]
    for name in value.keys() & schema["properties"].keys():
        found += faults(value[name], schema["properties"][name], at=f"{at}/{name}")
    return found


def problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The body of a problem of this kind, checked against the API's description."""
    body: dict[str, Any] = response.json()
    assert (response.status_code, body["code"]) == (status, code)
    assert response.headers["content-type"] == PROBLEM_JSON.decode()
    assert faults(body, PROBLEM) == []
    assert body["request_id"] == response.headers["x-request-id"]
    return body
