"""Tokens made by hand, so that every part of one can be wrong."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

SECRET = "kJ4vQ9xTz2LmWc7RbN8yHs3FgD6pXaEo1UiVtY5w"  # made for these tests
ISSUER = "slipway"
AUDIENCE = "slipway-api"
NOW = 1_800_000_000
DIGESTS = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}


def kid_of(secret: str = SECRET) -> str:
    return hashlib.sha256(b"slipway kid\0" + secret.encode()).hexdigest()[:16]


def good_header() -> dict[str, Any]:
    return {"alg": "HS256", "typ": "at+jwt", "kid": kid_of()}


def good_claims() -> dict[str, Any]:
    return {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "ada",
        "jti": "0f1e2d3c4b5a",
        "exp": NOW + 900,
        "iat": NOW,
        "nbf": NOW,
        "scope": "predict read",
        "uid": 7,
    }


def segment(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def sealed(header: bytes, payload: bytes, *, secret: str = SECRET, digest: str = "HS256") -> str:
    """Any bytes, rightly signed."""
    signed = f"{segment(header)}.{segment(payload)}"
    signature = hmac.new(secret.encode(), signed.encode(), DIGESTS[digest]).digest()
    return f"{signed}.{segment(signature)}"


def forge(
    *,
    header: dict[str, Any] | None = None,
    claims: dict[str, Any] | None = None,
    without: str = "",
    secret: str = SECRET,
    digest: str = "HS256",
) -> str:
    """A good token, but for the members given, and signed for real with `secret`."""
    heads = {**good_header(), **(header or {})}
    said = {**good_claims(), **(claims or {})}
    heads.pop(without, None)
    said.pop(without, None)
    return sealed(json.dumps(heads).encode(), json.dumps(said).encode(), secret=secret, digest=digest)
