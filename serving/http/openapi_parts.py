"""What the operations of the OpenAPI document are put together from: contents, answers, problems, who may ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelkit import errors
from modelkit.errors import SlipwayError
from serving.http.openapi_headers import OF_STATUS, REQUEST_ID, TEXT
from serving.http.problems import PROBLEM_JSON, problem_types

JSON_TYPE = "application/json"
OPEN: list[dict[str, Any]] = []
MOMENT: dict[str, Any] = {"type": "string", "format": "date-time"}

# What a kind of route can answer besides its own problems. 500 `internal-error` is possible everywhere, and 405 is what
# methods answer that are not in the document.
SHED = (errors.Overloaded,)  # every route but the probes
CALLER = (
    errors.Unauthenticated,
    errors.TokenExpired,
    errors.TokenRevoked,
    *SHED,
)  # every route that is not open
BODY = (  # every route that reads one
    errors.InvalidRequest,
    errors.NotAcceptable,
    errors.RequestTimeout,
    errors.PayloadTooLarge,
    errors.UnsupportedMediaType,
)
SLOW = (errors.Overloaded, errors.Unavailable)  # every route that asks SQL
PREDICTION = (  # every route that has rows answered, besides CALLER and BODY
    errors.InsufficientScope,
    errors.RateLimited,
    errors.PredictionFailed,
    errors.ModelNotReady,
    errors.LogUnavailable,
    errors.DeadlineExceeded,
)
ENTITY = (errors.EntityNotFound, errors.FeaturesUnavailable)  # the same of a model that looks features up


def schema_ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def closed_object(optional: Mapping[str, Any] | None = None, /, **fields: Any) -> dict[str, Any]:
    """With exactly these members; those of `optional` may be absent."""
    schema = {"type": "object", "properties": {**fields, **(optional or {})}, "additionalProperties": False}
    return {**schema, "required": list(fields)} if fields else schema


def json_content(schema: dict[str, Any], *, examples: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": schema}
    if examples:
        content["examples"] = {f"example{place}": {"value": value} for place, value in enumerate(examples, 1)}
    return {"required": True, "content": {JSON_TYPE: content}}


def answer(
    description: str,
    schema: dict[str, Any],
    *,
    headers: Mapping[str, Any] | None = None,
    media_type: str = JSON_TYPE,
) -> dict[str, Any]:
    content = {media_type: {"schema": schema}}
    return {"description": description, "headers": {**REQUEST_ID, **(headers or {})}, "content": content}


def problems_of(*kinds: type[SlipwayError]) -> dict[str, Any]:
    """The responses of an operation that can fail in these ways, and by a bug of ours; see the groups above."""
    by_status: dict[int, dict[str, type[SlipwayError]]] = {}
    possible: tuple[type[SlipwayError], ...] = (SlipwayError, *kinds)
    for kind in possible:
        by_status.setdefault(kind.status, {})[kind.code] = kind
    return {str(status): _problem(status, group) for status, group in sorted(by_status.items())}


def _problem(status: int, kinds: Mapping[str, type[SlipwayError]]) -> dict[str, Any]:
    """The one schema of problems, narrowed to what can be met here: its type stays one for generated clients."""
    narrowed = {"status": {"const": status}, "code": {"enum": sorted(kinds)}}
    said = "; ".join(f"`{code}`: {kind.title}" for code, kind in sorted(kinds.items()))
    schema = {**schema_ref("Problem"), "properties": narrowed}
    return answer(said, schema, headers=OF_STATUS.get(status), media_type=PROBLEM_JSON.decode())


def allowed_by(*scopes: str) -> list[dict[str, Any]]:
    """Any one of the scopes is enough; without one, any token is. `oauth2` is how Swagger UI gets a token by itself."""
    each = [[scope] for scope in scopes] or [[]]
    return [{"bearer": []}, *({"oauth2": needed} for needed in each)]


def problem_schema() -> dict[str, Any]:
    """RFC 9457's members, those of the Open Inference Protocol and of OAuth 2.0, and what is wrong where."""
    statuses = sorted({kind.status for kind in problem_types().values()})
    place = closed_object(
        {"row": {"type": "integer", "minimum": 0, "description": "which of several rows, from 0"}},
        pointer={**TEXT, "description": "JSON pointer (RFC 6901) into the body"},
        detail=TEXT,
    )
    schema = closed_object(
        {"error_description": {**TEXT, "description": "where `error` is a name of OAuth 2.0's"}},
        type={"type": "string", "pattern": "^/problems/[a-z-]+$", "description": "a page about this kind"},
        title=TEXT,
        status={"type": "integer", "enum": statuses},
        detail=TEXT,
        instance={"type": "string", "description": "the request, as a URN"},
        code={"type": "string", "enum": sorted(problem_types())},
        request_id=TEXT,
        error={**TEXT, "description": "`detail` again, for clients of the Open Inference Protocol"},
        errors={"type": "array", "items": place},
    )
    return {**schema, "description": "What went wrong (RFC 9457), the same shape everywhere."}
