"""The token that a question carries: from a file, from the environment, or signed here with the service's key."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from auth.keys import SecretKeys
from auth.scopes import PREDICT, READ
from auth.tokens import TokenIssuer
from k8s.errors import Misused
from k8s.settings import ClusterSettings

MINTED_SECONDS = 60
SUBJECT = "smoke-test"


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """Where a token is from; all None: the environment's `SLIPWAY_TOKEN`."""

    token_file: Path | None = None
    jwt_key_file: Path | None = None


def token(credentials: Credentials, settings: ClusterSettings) -> str:
    """Empty when there is none. Raises Misused for a file that cannot be used; it never says what is in it."""
    if credentials.token_file is not None:
        return _text(credentials.token_file, "--token-file").strip()
    if credentials.jwt_key_file is not None:
        return _minted(_text(credentials.jwt_key_file, "--jwt-key-file"), settings)
    return settings.token


def _minted(keys: str, settings: ClusterSettings) -> str:
    try:
        signing = SecretKeys(keys, setting="--jwt-key-file")
    except ValueError as error:
        raise Misused(str(error)) from None
    issuer = TokenIssuer(
        signing,
        issuer=settings.jwt_issuer,
        audience=settings.jwt_audience,
        ttl_seconds=MINTED_SECONDS,
        clock=time.time,
    )
    return issuer.issue(subject=SUBJECT, scopes=frozenset({PREDICT, READ})).access_token


def _text(path: Path, option: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misused(f"{option}: {path} cannot be read ({type(error).__name__})") from None
