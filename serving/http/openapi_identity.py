"""The part of the OpenAPI document about who is calling: tokens, sessions, and one's own records."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from auth.scopes import ADMIN, FEEDBACK, PREDICT, READ, predict_scope
from serving.http.identity import Credentials, Refreshing
from serving.http.openapi_parts import (
    JSON_TYPE,
    OPEN,
    allowed_by,
    answer,
    json_content,
    problems,
    schema_ref,
)
from serving.http.own_records import TEMPLATE as OWN_RECORD
from serving.http.own_sessions import TEMPLATE as OWN_SESSION

TOKEN_URL = "/auth/token"  # noqa: S105 (an address)
FORM_TYPE = "application/x-www-form-urlencoded"
TEXT = {"type": "string"}
MOMENT = {"type": "string", "format": "date-time"}


def identity_paths(*, issues_tokens: bool) -> dict[str, Any]:
    """Where others issue all tokens, nobody gets one here."""
    own = {
        "/auth/me": {"get": _operation("Who the caller is, and the token's scopes.", {"type": "object"})},
        "/auth/logout": {
            "post": _operation("End the session that the token came from.", schema_ref("Ended"))
        },
        "/auth/sessions": {"get": _operation("The caller's own sessions.", schema_ref("Sessions"))},
        OWN_SESSION: {
            "delete": _operation("End one of the caller's own sessions.", schema_ref("Ended"))
            | _named_in_path()
        },
        "/auth/revoke": {"post": _revoke()},
        "/.well-known/jwks.json": {
            "get": _operation("Public keys that verify tokens of this service.", schema_ref("JwkSet"), OPEN)
        },
        OWN_RECORD: {
            "get": _operation(
                "A prediction of the caller's own, once it has reached the database.",
                schema_ref("OwnPrediction"),
                allowed_by(READ, PREDICT),
            )
            | _named_in_path()
        },
    }
    return own | (_issuing() if issues_tokens else {})


def identity_schemas() -> dict[str, Any]:
    session = _object(
        id=TEXT,
        created_at=MOMENT,
        last_used_at={"type": ["string", "null"], "format": "date-time"},
        expires_at=MOMENT,
        address={"type": ["string", "null"]},
        current={"type": "boolean"},
    )
    own = {name: TEXT for name in ("prediction_id", "request_id", "model", "model_version", "outcome")}
    record = _object(**own, created_at=MOMENT, features={}, prediction={}, cached={"type": "boolean"})
    record["properties"]["probabilities"] = {"type": "object"}
    tokens = _object(access_token=TEXT, token_type=TEXT, expires_in={"type": "integer"}, scope=TEXT)
    tokens["properties"]["refresh_token"] = TEXT  # not for clients, who have a secret
    return {
        "Credentials": Credentials.model_json_schema(),
        "Refreshing": Refreshing.model_json_schema(),
        "TokenRequest": _token_request(),
        "RevocationRequest": _revocation_request(),
        "Tokens": tokens,
        "Ended": _object(ended={"type": ["string", "null"]}),
        "Sessions": _object(sessions={"type": "array", "items": session}),
        "OwnPrediction": record,
        "JwkSet": _object(keys={"type": "array", "items": {"type": "object"}}),
    }


def security_schemes(models: Iterable[str], *, issues_tokens: bool) -> dict[str, Any]:
    bearer = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    if not issues_tokens:
        return bearer
    scopes = {
        PREDICT: "predictions of every model",
        **{predict_scope(model): f"predictions of {model}" for model in models},
        READ: "what is served, its history, and one's own predictions",
        FEEDBACK: "what really happened",
        ADMIN: "revoke the tokens of others",
    }
    flow = {"tokenUrl": TOKEN_URL, "scopes": scopes}
    flows = {"password": {**flow, "refreshUrl": TOKEN_URL}, "clientCredentials": flow}
    client = {"type": "http", "scheme": "basic", "description": "id and secret of an OAuth 2.0 client"}
    return {**bearer, "oauth2": {"type": "oauth2", "flows": flows}, "client": client}


def _issuing() -> dict[str, Any]:
    return {
        "/login": {
            "post": _operation("Exchange a user's name and password for tokens.", schema_ref("Tokens"), OPEN)
            | {"requestBody": json_content(schema_ref("Credentials"))}
        },
        "/auth/refresh": {
            "post": _operation("Exchange a refresh token for new tokens.", schema_ref("Tokens"), OPEN)
            | {"requestBody": json_content(schema_ref("Refreshing"))}
        },
        TOKEN_URL: {
            "post": _operation(
                "OAuth 2.0 token endpoint (RFC 6749).", schema_ref("Tokens"), [{}, {"client": []}]
            )
            | {"requestBody": _form_or_json("TokenRequest")}
        },
    }


def _revoke() -> dict[str, Any]:
    said = "Revoke a token (RFC 7009); an administrator: all tokens of a subject."
    made = _operation(said, {"type": "object"}, [{}, {"client": []}, {"bearer": []}])
    return made | {"requestBody": _form_or_json("RevocationRequest")}


def _operation(
    summary: str, schema: dict[str, Any], security: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    allowed = allowed_by() if security is None else security
    return {
        "summary": summary,
        "security": allowed,
        "responses": {"200": answer(summary, schema), **problems()},
    }


def _named_in_path() -> dict[str, Any]:
    return {"parameters": [{"name": "id", "in": "path", "required": True, "schema": TEXT}]}


def _form_or_json(schema: str) -> dict[str, Any]:
    content = {"schema": schema_ref(schema)}
    return {"required": True, "content": {FORM_TYPE: content, JSON_TYPE: content}}


def _token_request() -> dict[str, Any]:
    kinds = {"type": "string", "enum": ["password", "client_credentials", "refresh_token"]}
    names = ("username", "password", "refresh_token", "client_id", "client_secret", "scope")
    fields = {"grant_type": kinds, **dict.fromkeys(names, TEXT)}
    return {"type": "object", "properties": fields, "required": ["grant_type"]}


def _revocation_request() -> dict[str, Any]:
    names = ("token", "token_type_hint", "client_id", "client_secret", "subject")
    return {"type": "object", "properties": dict.fromkeys(names, TEXT)}


def _object(**fields: Any) -> dict[str, Any]:
    return {"type": "object", "properties": fields, "required": list(fields)}
