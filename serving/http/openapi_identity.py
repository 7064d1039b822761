"""The part of the OpenAPI document about who is calling: tokens, sessions, and one's own records."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from auth.scopes import ADMIN, FEEDBACK, PREDICT, READ, predict_scope
from modelkit import errors
from modelkit.errors import SlipwayError
from modelkit.schema import RequestModel
from serving.http.identity import Credentials, Refreshing
from serving.http.oauth_parameters import FORM
from serving.http.openapi_headers import NO_STORE, TEXT
from serving.http.openapi_parts import (
    BODY,
    CALLER,
    JSON_TYPE,
    OPEN,
    SHED,
    SLOW,
    allowed_by,
    answer,
    json_content,
    problems_of,
    schema_ref,
)
from serving.http.own_records import TEMPLATE as OWN_RECORD
from serving.http.own_sessions import TEMPLATE as OWN_SESSION
from serving.http.token_desk import LARGEST_BODY

TOKEN_URL = "/auth/token"  # noqa: S105 (an address)
CLIENT: list[dict[str, Any]] = [{}, {"client": []}]
SQL = (errors.Overloaded, errors.IdentityUnavailable)  # where users and sessions are asked
ISSUES = (errors.RateLimited, *SQL)
LOGIN = (*SHED, *BODY, errors.WrongCredentials, *ISSUES)
REFRESH = (*SHED, *BODY, errors.InvalidGrant, errors.InvalidScope, *ISSUES)
OAUTH = (*SHED, *BODY, errors.BadTokenRequest, errors.InvalidClient, errors.Unauthenticated, *ISSUES)
TOKEN = (*OAUTH, errors.InvalidGrant, errors.InvalidScope, errors.UnsupportedGrant)
REVOKE = (*OAUTH, errors.TokenExpired, errors.TokenRevoked, errors.InsufficientScope)

Kinds = tuple[type[SlipwayError], ...]


def identity_paths(*, issues_tokens: bool) -> dict[str, Any]:
    """Where others issue all tokens, nobody gets one here."""
    ended, session_ended = (*CALLER, *ISSUES), (*CALLER, *ISSUES, errors.SessionNotFound)
    record = (*CALLER, *SLOW, errors.InsufficientScope, errors.PredictionNotFound)
    own = {
        "/auth/me": {"get": _own("who_am_i", "Who the caller is, and the token's scopes.", "Caller", CALLER)},
        "/auth/logout": {
            "post": _own("log_out", "End the session that the token came from.", "Ended", ended)
        },
        "/auth/sessions": {
            "get": _own("list_sessions", "The caller's own sessions.", "Sessions", (*CALLER, *SQL))
        },
        OWN_SESSION: {
            "delete": _own("end_session", "End one of the caller's own sessions.", "Ended", session_ended)
            | _named_in_path("^[0-9a-f]{32}$")
        },
        OWN_RECORD: {
            "get": _own(
                "show_prediction",
                "A prediction of the caller's own, once it has reached the database.",
                "OwnPrediction",
                record,
            )
            | _named_in_path("^[0-9A-HJKMNP-TV-Z]{26}$")
            | {"security": allowed_by(READ, PREDICT), "tags": ["predictions"]}
        },
        "/auth/revoke": {"post": _revoke()},
        "/.well-known/jwks.json": {"get": _keys()},
    }
    return own | (_issuing() if issues_tokens else {})


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
            "post": _operation("login", "Exchange a user's name and password for tokens.", "Tokens", LOGIN)
            | {"security": OPEN, "requestBody": _json(Credentials)}
        },
        "/auth/refresh": {
            "post": _operation("refresh", "Exchange a refresh token for new tokens.", "Tokens", REFRESH)
            | {"security": OPEN, "requestBody": _json(Refreshing)}
        },
        TOKEN_URL: {
            "post": _operation("issue_token", "OAuth 2.0 token endpoint (RFC 6749).", "Tokens", TOKEN)
            | {"security": CLIENT, "requestBody": _form_or_json("TokenRequest")}
        },
    }


def _revoke() -> dict[str, Any]:
    said = "Revoke a token (RFC 7009); an administrator: all tokens of a subject."
    made = _operation("revoke_token", said, "Nothing", REVOKE)
    return made | {"security": [*CLIENT, {"bearer": []}], "requestBody": _form_or_json("RevocationRequest")}


def _keys() -> dict[str, Any]:
    said = "Public keys that verify tokens of this service (RFC 7517)."
    keys = _operation("keys", said, "JwkSet", SHED) | {"security": OPEN}
    cached = {"Cache-Control": {"description": "How long to keep them.", "required": True, "schema": TEXT}}
    keys["responses"]["200"] = answer(
        said, schema_ref("JwkSet"), headers=cached, media_type="application/jwk-set+json"
    )
    return keys


def _operation(name: str, summary: str, schema: str, kinds: Kinds) -> dict[str, Any]:
    responses = {"200": answer(summary, schema_ref(schema), headers=NO_STORE), **problems_of(*kinds)}
    return {"operationId": name, "summary": summary, "tags": ["identity"], "responses": responses}


def _own(name: str, summary: str, schema: str, kinds: Kinds) -> dict[str, Any]:
    return _operation(name, summary, schema, kinds) | {"security": allowed_by()}


def _named_in_path(pattern: str) -> dict[str, Any]:
    schema = {"type": "string", "pattern": pattern}
    return {"parameters": [{"name": "id", "in": "path", "required": True, "schema": schema}]}


def _json(model: type[RequestModel]) -> dict[str, Any]:
    return _SMALL | json_content(schema_ref(model.__name__))


def _form_or_json(schema: str) -> dict[str, Any]:
    content = {"schema": schema_ref(schema)}
    return _SMALL | {"required": True, "content": {FORM.decode(): content, JSON_TYPE: content}}


_SMALL = {"description": f"At most {LARGEST_BODY} bytes."}
