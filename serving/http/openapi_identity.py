"""The paths of tokens and sessions in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from serving.http.identity import Refreshing

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
_TEXT = {"type": "string"}

_TOKENS = {
    "type": "object",
    "properties": {
        "access_token": _TEXT,
        "token_type": {"const": "Bearer"},
        "expires_in": {"type": "integer"},
        "scope": _TEXT,
        "refresh_token": _TEXT,
    },
    "required": ["access_token", "token_type", "expires_in", "scope"],
}
_TOKEN_REQUEST = {
    "type": "object",
    "properties": {
        "grant_type": {"enum": ["password", "client_credentials", "refresh_token"]},
        **dict.fromkeys(
            ("username", "password", "refresh_token", "scope", "client_id", "client_secret"), _TEXT
        ),
    },
    "required": ["grant_type"],
}
_REVOCATION = {
    "type": "object",
    "properties": {
        "token": _TEXT,
        "token_type_hint": {"enum": ["access_token", "refresh_token"]},
        "subject": {"type": "string", "description": "all tokens of a caller; needs the scope admin"},
    },
}
_SESSION = {
    "type": "object",
    "properties": {
        "id": _TEXT,
        "created_at": {"type": "string", "format": "date-time"},
        "last_used_at": {"type": ["string", "null"], "format": "date-time"},
        "expires_at": {"type": "string", "format": "date-time"},
        "address": {"type": ["string", "null"]},
        "current": {"type": "boolean"},
    },
}
_SESSIONS = {"type": "object", "properties": {"sessions": {"type": "array", "items": _SESSION}}}
_ENDED = {"type": "object", "properties": {"ended": {"type": ["string", "null"]}}}


def identity_paths(problems: dict[str, Any]) -> dict[str, Any]:
    """`problems` are the answers that every operation may give."""
    forms = {key: {"schema": _TOKEN_REQUEST} for key in (FORM, JSON)}
    revoking = {key: {"schema": _REVOCATION} for key in (FORM, JSON)}
    refreshing = {JSON: {"schema": Refreshing.model_json_schema()}}
    return {
        "/auth/token": {
            "post": _operation("A token for a password, a secret or a refresh token.", _TOKENS, problems)
            | _open(forms)
        },
        "/auth/refresh": {
            "post": _operation("The successor of a refresh token, and a new access token.", _TOKENS, problems)
            | _open(refreshing)
        },
        "/auth/revoke": {
            "post": _operation("Refuse a token from now on (RFC 7009).", {"type": "object"}, problems)
            | _open(revoking)
        },
        "/auth/logout": {"post": _operation("End the session of the token.", _ENDED, problems)},
        "/auth/sessions": {"get": _operation("The caller's open sessions.", _SESSIONS, problems)},
    }


def _operation(summary: str, answer: dict[str, Any], problems: dict[str, Any]) -> dict[str, Any]:
    ok = {"description": summary, "content": {JSON: {"schema": answer}}}
    return {"summary": summary, "responses": {"200": ok, **problems}}


def _open(content: dict[str, Any]) -> dict[str, Any]:
    return {"security": [], "requestBody": {"required": True, "content": content}}
