"""The OpenAPI document: each room describes its own paths, and here they become one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modelkit.definition import ModelDefinition
from serving.http.openapi_explain import explain_paths, explain_schemas
from serving.http.openapi_feedback import feedback_paths, feedback_schemas
from serving.http.openapi_identity import identity_paths, security_schemes
from serving.http.openapi_identity_schemas import identity_schemas
from serving.http.openapi_oip import oip_paths, oip_schemas
from serving.http.openapi_parts import problem_schema
from serving.http.openapi_predictions import prediction_paths, prediction_schemas
from serving.http.openapi_status import documentation_paths, metrics_paths, status_paths, status_schemas
from serving.version import VERSION

MAX_INSTANCES = 1000
EXPLAINED_ROWS = 8
DESCRIPTION = """\
Predictions of the models that are served here, each with its version, an id and, where the model has them, bounds.

Ask for a token at `/login` (JSON) or `/auth/token` (OAuth 2.0) and send it as `Authorization: Bearer ...`. Every
failure is a `Problem` (RFC 9457), whose `code` is explained at `/problems/{code}`; a method that a path does not list
is answered with 405 and `Allow`, an address that is not listed with 404. `HEAD` answers like `GET`, without a body. Every
answer has the request's id in `X-Request-ID`.
"""


def openapi_document(
    definitions: Sequence[ModelDefinition],
    *,
    issues_tokens: bool = True,
    public_metrics: bool = True,
    max_instances: int = MAX_INSTANCES,
    explained_rows: int = EXPLAINED_ROWS,
) -> dict[str, Any]:
    """OpenAPI 3.1 of every route. Without `issues_tokens`, as it is where others issue all tokens."""
    names = [definition.name for definition in definitions]
    paths: dict[str, Any] = {
        **prediction_paths(definitions),
        **(explain_paths(definitions, max_rows=explained_rows) if explained_rows else {}),
        **feedback_paths(max_instances=max_instances),
        **oip_paths(definitions),
        **status_paths(names),
        **identity_paths(issues_tokens=issues_tokens),
        **documentation_paths(),
        **(metrics_paths() if public_metrics else {}),
    }
    for methods in paths.values():
        for operation in methods.values():
            operation["security"] = _known(operation["security"], issues_tokens=issues_tokens)
    return {
        "openapi": "3.1.0",
        "info": _info(),
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": {
                **prediction_schemas(definitions, max_instances=max_instances),
                **(explain_schemas(definitions) if explained_rows else {}),
                **feedback_schemas(),
                **oip_schemas(),
                **status_schemas(),
                **identity_schemas(),
                "Problem": problem_schema(),
            },
            "securitySchemes": security_schemes(names, issues_tokens=issues_tokens),
        },
        "security": [{"bearer": []}],
    }


def _info() -> dict[str, Any]:
    licence = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
    return {"title": "Slipway", "version": VERSION, "description": DESCRIPTION, "license": licence}


def _known(security: list[dict[str, Any]], *, issues_tokens: bool) -> list[dict[str, Any]]:
    """Without the schemes that are not there."""
    return [each for each in security if issues_tokens or each.keys().isdisjoint(("oauth2", "client"))]
