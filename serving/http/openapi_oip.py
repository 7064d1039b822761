"""The part of the OpenAPI document about the protocols that others defined: Open Inference Protocol, and KServe v1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from auth.scopes import PREDICT, READ, predict_scope
from modelkit.definition import ModelDefinition
from modelkit.errors import InsufficientScope, ModelNotFound, ModelNotReady, NotFound, VersionNotLoaded
from serving.http.openapi_headers import PREDICTED, header
from serving.http.openapi_oip_schemas import oip_schemas
from serving.http.openapi_parts import (
    BODY,
    CALLER,
    OPEN,
    PREDICTION,
    SHED,
    allowed_by,
    answer,
    closed_object,
    json_content,
    problems_of,
    schema_ref,
)
from serving.http.openapi_predictions import base_name, entity_problems

__all__ = ["oip_paths", "oip_schemas"]

OCTETS = "application/octet-stream"
BYTES: dict[str, Any] = {"type": "string", "format": "binary"}
CONTENT_LENGTH = "Inference-Header-Content-Length"
VERSION = {
    "name": "version",
    "in": "path",
    "required": True,
    "description": "one that is loaded",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
}
JSON_LENGTH = {
    "name": CONTENT_LENGTH,
    "in": "header",
    "required": False,
    "description": "how many bytes of the body are JSON, where the bytes of tensors follow",
    "schema": {"type": "integer", "minimum": 1},
}


def oip_paths(definitions: Sequence[ModelDefinition]) -> dict[str, Any]:
    """Models are values of a parameter: what their tensors are, their metadata tells."""
    named = {
        "name": "model",
        "in": "path",
        "required": True,
        "schema": {"enum": sorted(definition.name for definition in definitions)},
    }
    model, version = "/v2/models/{model}", "/v2/models/{model}/versions/{version}"
    both = [named, VERSION]
    closed = (*CALLER, InsufficientScope)
    unknown = (NotFound, ModelNotFound, VersionNotLoaded, ModelNotReady)
    open_ = (
        *CALLER,
        ModelNotFound,
        ModelNotReady,
    )  # a model that is not there needs a token, as every address does
    return {
        **_server_paths(),
        model: _get(
            "show_oip_model", "What a model's tensors are.", "OipModel", (*closed, ModelNotFound), named
        ),
        f"{model}/ready": _get("oip_model_ready", *_READY, open_, named, secured=False),
        f"{model}/infer": {"post": _infer("oip_infer", definitions, [named], (ModelNotFound,))},
        version: _get("show_oip_version", "The same for a version.", "OipModel", (*closed, *unknown), *both),
        f"{version}/ready": _get("oip_version_ready", *_READY, (*closed, *unknown), *both),
        f"{version}/infer": {"post": _infer("oip_infer_version", definitions, both, unknown)},
        **_repository_paths(),
        "/v1/models": _get("list_v1_models", "The names of all models.", "V1Models", closed),
        "/v1/models/{model}": _get("v1_model_ready", *_READY, open_, named, secured=False),
        **{f"/v1/models/{each.name}:predict": {"post": _v1_predict(each)} for each in definitions},
    }


_READY = ("Whether a model can be asked.", "OipModelReady")


def _server_paths() -> dict[str, Any]:
    metadata = _get("oip_server", "Which server this is.", "OipServer", SHED, secured=False)
    live = _get("oip_live", "Whether the process lives.", "OipLive", (), secured=False)
    ready = _get("oip_ready", "Whether the replica takes requests.", "OipReady", (), secured=False)
    for probe, schema in ((live, "OipLive"), (ready, "OipReady")):
        probe["get"]["responses"]["503"] = answer("Not now", schema_ref(schema))
    return {"/v2": metadata, "/v2/health/live": live, "/v2/health/ready": ready}


def _repository_paths() -> dict[str, Any]:
    wish = {"required": False, "content": {"application/json": {"schema": schema_ref("OipIndexWish")}}}
    index = _operation("oip_index", "Every version that this replica holds.", [], allowed_by(READ))
    responses = problems_of(*CALLER, InsufficientScope, *BODY)
    index |= {
        "requestBody": wish,
        "responses": {"200": answer("The index", schema_ref("OipIndex")), **responses},
    }
    paths = {"/v2/repository/index": {"post": index}}
    for verb in ("load", "unload"):
        refused = _operation(
            f"oip_{verb}", f"Refused: the registry's alias decides ({verb}).", [_ANY], allowed_by(READ)
        )
        refused |= {
            "requestBody": {**wish, "content": {"application/json": {"schema": {"type": "object"}}}},
            "responses": responses,
        }
        paths[f"/v2/repository/models/{{model}}/{verb}"] = {"post": refused}
    return paths


_ANY = {"name": "model", "in": "path", "required": True, "schema": {"type": "string", "pattern": "^[a-z-]+$"}}


def _operation(
    name: str, summary: str, parameters: list[dict[str, Any]], security: list[dict[str, Any]]
) -> dict[str, Any]:
    tag = "KServe v1" if "v1" in name else "Open Inference Protocol"
    about = {"summary": summary, "operationId": name, "tags": [tag], "security": security}
    return about | ({"parameters": parameters} if parameters else {})


def _get(
    name: str,
    summary: str,
    schema: str,
    kinds: tuple[Any, ...],
    *parameters: dict[str, Any],
    secured: bool = True,
) -> dict[str, Any]:
    operation = _operation(name, summary, list(parameters), allowed_by(READ) if secured else OPEN)
    operation["responses"] = {"200": answer(summary, schema_ref(schema)), **problems_of(*kinds)}
    return {"get": operation}


def _infer(
    name: str,
    definitions: Sequence[ModelDefinition],
    parameters: list[dict[str, Any]],
    kinds: tuple[Any, ...],
) -> dict[str, Any]:
    scopes = (PREDICT, *(predict_scope(definition.name) for definition in definitions))
    operation = _operation(name, "Predict with tensors.", [*parameters, JSON_LENGTH], allowed_by(*scopes))
    taken = json_content(schema_ref("OipRequest"))
    taken["content"][OCTETS] = {"schema": BYTES}
    length = header("How many bytes are JSON, where the bytes of tensors follow.", type="integer")
    said = answer("The prediction", schema_ref("OipAnswer"), headers={**PREDICTED, CONTENT_LENGTH: length})
    said["content"][OCTETS] = {"schema": BYTES}
    problems = problems_of(*CALLER, *BODY, *PREDICTION, *entity_problems(definitions), *kinds)
    return operation | {"requestBody": taken, "responses": {"200": said, **problems}}


def _v1_predict(definition: ModelDefinition) -> dict[str, Any]:
    base = base_name(definition)
    bodies = [schema_ref(f"{base}{kind}") for kind in ("V1Batch", "V1SkippingBatch")]
    one = {"anyOf": [schema_ref(f"{base}Answer"), {"type": "null"}]}
    errors = {"errors": {"type": "array", "items": schema_ref("RowError")}}
    said = closed_object(errors, predictions={"type": "array", "items": one})
    problems = problems_of(*CALLER, *BODY, *PREDICTION, *entity_problems([definition]))
    security = allowed_by(PREDICT, predict_scope(definition.name))
    operation = _operation(
        f"v1_predict_{definition.package}", f"Predict with {definition.name}.", [], security
    )
    return operation | {
        "requestBody": json_content({"anyOf": bodies}),
        "responses": {"200": answer("The predictions", said, headers=PREDICTED), **problems},
    }
