"""The schemas of the OpenAPI document about who is calling: what is sent for tokens, and what identity answers."""

from __future__ import annotations

from typing import Any

from auth.jwk_document import PublicJwk
from serving.http.identity import Credentials, Refreshing
from serving.http.oauth_parameters import MAX_PARAMETER_LENGTH, MAX_PARAMETERS
from serving.http.openapi_headers import TEXT
from serving.http.openapi_parts import MOMENT, closed_object, schema_ref

MAYBE_TEXT = {"type": ["string", "null"]}
PARAMETER = {"type": "string", "maxLength": MAX_PARAMETER_LENGTH}
GIVEN = {**PARAMETER, "minLength": 1}


def identity_schemas() -> dict[str, Any]:
    return {
        "Credentials": Credentials.model_json_schema(),
        "Refreshing": Refreshing.model_json_schema(),
        "TokenRequest": _token_request(),
        "RevocationRequest": _revocation_request(),
        "Tokens": _tokens(),
        "Caller": closed_object(
            subject=TEXT,
            issuer=TEXT,
            scopes={"type": "array", "items": TEXT},
            expires_at={"type": "number", "description": "seconds since 1970"},
            session_id=MAYBE_TEXT,
        ),
        "Ended": closed_object(ended=MAYBE_TEXT),
        "Nothing": closed_object(),
        "Session": _session(),
        "Sessions": closed_object(sessions={"type": "array", "items": schema_ref("Session")}),
        "OwnPrediction": _own_prediction(),
        "KnownTruth": _known_truth(),
        "JwkSet": closed_object(keys={"type": "array", "items": schema_ref("Jwk")}),
        "Jwk": _jwk(),
    }


def _tokens() -> dict[str, Any]:
    return closed_object(
        {"refresh_token": {**TEXT, "description": "good for one use; clients who have a secret get none"}},
        access_token=TEXT,
        token_type=TEXT,
        expires_in={"type": "integer", "description": "seconds"},
        scope=TEXT,
    )


def _session() -> dict[str, Any]:
    return closed_object(
        id=TEXT,
        created_at=MOMENT,
        last_used_at={"type": ["string", "null"], "format": "date-time"},
        expires_at=MOMENT,
        address=MAYBE_TEXT,
        current={"type": "boolean", "description": "whether the token came from it"},
    )


def _own_prediction() -> dict[str, Any]:
    shares = {"type": "object", "additionalProperties": {"type": "number"}}
    return closed_object(
        {"probabilities": {**shares, "description": "of a classifier's answer"}},
        prediction_id=TEXT,
        request_id=TEXT,
        created_at=MOMENT,
        model=TEXT,
        model_version=TEXT,
        features={"type": "object", "description": "the row as it was asked; null where a field is withheld"},
        withheld={
            "type": "array",
            "items": TEXT,
            "description": "fields whose values are never written down",
        },
        prediction={"type": ["number", "string"]},
        lower={"type": ["number", "null"]},
        upper={"type": ["number", "null"]},
        outcome=TEXT,
        cached={"type": "boolean"},
        truth={
            "description": "what was told of it afterwards",
            "oneOf": [{"type": "null"}, schema_ref("KnownTruth")],
        },
    )


def _known_truth() -> dict[str, Any]:
    return closed_object(
        actual={"type": ["number", "string"]},
        told_at=MOMENT,
        changes={"type": "integer", "minimum": 0},
        scored_at={"type": ["string", "null"], "format": "date-time"},
        absolute_error={"type": ["number", "null"]},
        correct={"type": ["boolean", "null"]},
    )


def _jwk() -> dict[str, Any]:
    needed = {name: TEXT for name in ("kty", "use", "alg", "kid")}
    return closed_object({name: TEXT for name in PublicJwk.__struct_fields__ if name not in needed}, **needed)


def _token_request() -> dict[str, Any]:
    """One of three grants; what RFC 6749 does not know is ignored, as it asks for."""
    grants = {
        "password": ("username", "password"),
        "client_credentials": (),
        "refresh_token": ("refresh_token",),
    }
    names = ("client_id", "client_secret", "scope")
    kinds = [
        _request({"grant_type": {"type": "string", "enum": [grant]}, **dict.fromkeys(needed, GIVEN)}, names)
        for grant, needed in grants.items()
    ]
    return {"anyOf": kinds}


def _revocation_request() -> dict[str, Any]:
    others = ("token_type_hint", "client_id", "client_secret")
    return {"anyOf": [_request({"token": GIVEN}, others), _request({"subject": GIVEN}, others)]}


def _request(needed: dict[str, Any], optional: tuple[str, ...]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {**needed, **dict.fromkeys(optional, PARAMETER)},
        "required": list(needed),
        "additionalProperties": PARAMETER,
        "maxProperties": MAX_PARAMETERS,
    }
