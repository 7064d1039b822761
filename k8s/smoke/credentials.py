"""The token that a question carries: from a file, from the environment, or signed here with a key of the service's."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from auth.keys import KeySet, SecretKeys
from auth.pem_keys import PemKeys
from auth.scopes import PREDICT, READ
from auth.tokens import TokenIssuer
from k8s.dev_secret import JWT_KEY, SIGNING_KEY
from k8s.errors import Misused
from k8s.settings import ClusterSettings

MINTED_SECONDS = 60
SUBJECT = "smoke-test"
PEM_MARK = "-----BEGIN"


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """Where a token is from, the first that is given; none of them: the environment's `SLIPWAY_TOKEN`."""

    token_file: Path | None = None
    jwt_key_file: Path | None = None
    signing_keys: str | None = field(default=None, repr=False)


def token(credentials: Credentials, settings: ClusterSettings) -> str:
    """Empty when there is none. Raises Misused for a file that cannot be used; it never says what is in it."""
    if credentials.token_file is not None:
        return _header_safe(_text(credentials.token_file, "--token-file"), "--token-file")
    if credentials.jwt_key_file is not None:
        return _minted(_keys(credentials.jwt_key_file, "--jwt-key-file"), settings, source="--jwt-key-file")
    if credentials.signing_keys is not None:
        return _minted(credentials.signing_keys, settings, source="--sign-from-secret")
    return _header_safe(settings.token, "SLIPWAY_TOKEN")


def _header_safe(text: str, source: str) -> str:
    """Without the end of the line. What is no token is refused here: an HTTP library would quote it in its complaint."""
    found = text.strip()
    if not all("!" <= letter <= "~" for letter in found):
        raise Misused(f"{source} is not a token: only printable ASCII without spaces can be one")
    return found


def _minted(keys: str, settings: ClusterSettings, *, source: str) -> str:
    try:
        signing: KeySet = (PemKeys if PEM_MARK in keys else SecretKeys)(keys, setting=source)
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


def _keys(path: Path, option: str) -> str:
    """Where pods mount the Secret and it holds no shared key (any more), the private one lies beside."""
    beside = path.with_name(SIGNING_KEY)
    moved = path.name == JWT_KEY and beside.exists()
    text = "" if moved and not path.exists() else _text(path, option)
    return _text(beside, option) if moved and not text.strip() else text


def _text(path: Path, option: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misused(f"{option}: {path} cannot be read ({type(error).__name__})") from None
