"""Secrets of clients: made here, 256 random bits each, so that a fast digest keeps them as well as a slow one would."""

from __future__ import annotations

import hashlib
import hmac
import secrets

SECRET_PREFIX = "slipway_"  # noqa: S105 (so that scanners for secrets know one)
SECRET_BYTES = 32


def new_secret() -> str:
    return SECRET_PREFIX + secrets.token_urlsafe(SECRET_BYTES)


def secret_hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def is_secret(kept: str, secret: str) -> bool:
    """In constant time. `kept` is a `secret_hash`, or anything else, which no secret leads to."""
    return hmac.compare_digest(kept.encode(), secret_hash(secret).encode())
