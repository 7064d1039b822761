"""The part of the OpenAPI document about the service itself: models, probes, metrics, and its documentation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from auth.scopes import READ
from modelkit.definition import Task
from modelkit.errors import InsufficientScope, NotFound, SlipwayError
from serving.http.openapi_headers import TEXT
from serving.http.openapi_parts import (
    CALLER,
    MOMENT,
    OPEN,
    SHED,
    SLOW,
    allowed_by,
    answer,
    closed_object,
    problems_of,
    schema_ref,
)
from serving.http.problems import problem_types
from serving.model_board import State

MAYBE_TEXT = {"type": ["string", "null"]}
NUMBERS = {"type": "object", "additionalProperties": {"type": "number"}}
METRICS_TYPE = "text/plain"
CODE = {
    "name": "code",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "enum": sorted(problem_types())},
}


def status_paths(names: Iterable[str]) -> dict[str, Any]:
    closed = (*CALLER, InsufficientScope)
    paths = {
        "/models": _get(
            "list_models", "Every model, with the versions loaded and desired.", "Models", closed
        ),
        "/models/info": _get("list_models_info", "The same as /models.", "Models", closed),
        "/health": _probe("health", "Overall state, and each model's load state.", "Health"),
        "/status": _probe("status", "That the service answers.", "ServiceStatus"),
        "/livez": _probe("livez", "Liveness probe: the process answers.", "Liveness", "no worker is missing"),
        "/healthz": _probe("healthz", "The same as /livez.", "Liveness", "no worker is missing"),
        "/readyz": _probe("readyz", "Readiness probe, with reasons.", "Readiness", "nothing is missing"),
    }
    for name in names:
        word = name.replace("-", "_")
        about = _get(f"show_model_{word}", f"What is served of {name}, and its card.", "ModelDetail", closed)
        moves = _get(
            f"show_history_{word}",
            f"Who moved which alias of {name}, when and why.",
            "History",
            (*closed, *SLOW),
        )
        paths |= {f"/models/{name}": about, f"/models/{name}/history": moves}
    return paths


def documentation_paths() -> dict[str, Any]:
    page = _open("docs", "This documentation, to read and to try.", SHED)
    page["responses"]["200"] = answer("The page", TEXT, media_type="text/html")
    document = _open("openapi", "This document.", SHED)
    document["responses"]["200"] = answer("An OpenAPI document", {"type": "object"})
    problem = _open("show_problem", "What a kind of problem means.", (*CALLER, NotFound))
    problem["parameters"] = [CODE]
    problem["responses"]["200"] = answer("The kind of problem", schema_ref("ProblemType"))
    return {"/docs": {"get": page}, "/openapi.json": {"get": document}, "/problems/{code}": {"get": problem}}


def metrics_paths() -> dict[str, Any]:
    paths = {}
    for path, name in (("/metrics", "metrics"), ("/metrics/prometheus", "metrics_prometheus")):
        scrape = _open(name, "Metrics of this worker's process group, for Prometheus.", ())
        scrape["responses"]["200"] = answer("Prometheus' text format", TEXT, media_type=METRICS_TYPE)
        paths[path] = {"get": scrape}
    return paths


def status_schemas() -> dict[str, Any]:
    model = _model()
    card = {"anyOf": [schema_ref("Card"), {"type": "null"}]}
    load = closed_object(loaded={"type": "boolean"}, state=_state())
    problem = closed_object(type=TEXT, title=TEXT, status={"type": "integer"}, code=TEXT)
    return {
        "Model": closed_object(**model),
        "ModelDetail": closed_object(**model, card=card),
        "Models": closed_object(models={"type": "array", "items": schema_ref("Model")}),
        "Challenger": _challenger(),
        "Card": _card(),
        "History": closed_object(model=TEXT, events={"type": "array", "items": schema_ref("AliasMove")}),
        "AliasMove": _alias_move(),
        "Health": closed_object(
            status={"type": "string", "enum": ["healthy", "unhealthy"]},
            models={"type": "object", "additionalProperties": schema_ref("LoadState")},
        ),
        "LoadState": load,
        "ServiceStatus": closed_object(status={"type": "string", "const": "OK"}, timestamp=MOMENT),
        "Liveness": closed_object(live={"type": "boolean"}),
        "Readiness": closed_object(
            ready={"type": "boolean"},
            reasons={
                "type": "object",
                "additionalProperties": TEXT,
                "description": "why not, by model, `identity` or `replica`",
            },
        ),
        "ProblemType": problem,
    }


def _get(name: str, said: str, schema: str, kinds: tuple[type[SlipwayError], ...]) -> dict[str, Any]:
    responses = {"200": answer(said, schema_ref(schema)), **problems_of(*kinds)}
    operation = {"operationId": name, "summary": said, "tags": ["models"], "security": allowed_by(READ)}
    return {"get": {**operation, "responses": responses}}


def _probe(name: str, said: str, schema: str, condition: str = "") -> dict[str, Any]:
    """Never shed; with a condition, 503 has the same body where it does not hold."""
    probe = _open(name, said, ())
    probe["responses"]["200"] = answer(f"If {condition}" if condition else said, schema_ref(schema))
    if condition:
        probe["responses"]["503"] = answer("Otherwise", schema_ref(schema))
    return {"get": probe}


def _open(name: str, said: str, kinds: tuple[type[SlipwayError], ...]) -> dict[str, Any]:
    operation = {"operationId": name, "summary": said, "tags": ["status"], "security": OPEN}
    return {**operation, "responses": problems_of(*kinds)}


def _state() -> dict[str, Any]:
    return {"type": "string", "enum": [state.value for state in State]}


def _model() -> Mapping[str, Any]:
    return {
        **dict.fromkeys(("name", "registry_name"), TEXT),
        "task": {"type": "string", "enum": [task.value for task in Task]},
        **dict.fromkeys(("units", "owner"), TEXT),
        "state": _state(),
        "reason": {**TEXT, "description": "why it is in this state; may be empty"},
        "stale": {"type": "boolean", "description": "an older version serves than is wanted"},
        **dict.fromkeys(("loaded", "desired", "previous", "digest"), MAYBE_TEXT),
        "challenger": {"anyOf": [schema_ref("Challenger"), {"type": "null"}]},
    }


def _challenger() -> dict[str, Any]:
    weight = {"type": "number", "minimum": 0, "maximum": 1, "description": "share of callers that it answers"}
    return closed_object(version=MAYBE_TEXT, state=_state(), reason=TEXT, weight=weight)


def _card() -> dict[str, Any]:
    rows = {"type": "object", "additionalProperties": {"type": "integer"}}
    return closed_object(metrics=NUMBERS, git_sha=TEXT, data_hash=TEXT, trained_at=TEXT, rows=rows)


def _alias_move() -> dict[str, Any]:
    text = dict.fromkeys(("model", "version", "alias"), TEXT)
    ends = dict.fromkeys(("from_version", "to_version"), MAYBE_TEXT)
    said = dict.fromkeys(("action", "actor", "reason"), TEXT)
    report = {"type": ["object", "null"], "description": "what the gates found"}
    return closed_object(**text, **ends, **said, report=report, at=MOMENT)
