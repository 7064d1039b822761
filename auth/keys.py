"""The keys that sign and verify tokens, and shared secrets as such keys. Keys that change are in `auth.key_files`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from auth.jwk_document import PublicJwk
from modelkit.errors import NotFound

HS256, RS256, ES256, EDDSA = "HS256", "RS256", "ES256", "EdDSA"
# Fixed here: what a token's header says is compared with its key's algorithm and never extends this list.
ALGORITHMS = (HS256, RS256, ES256, EDDSA)
MIN_SECRET_BYTES = 32
MIN_DISTINCT_BYTES = 9

# Words of documentation and templates. A random secret of 32 bytes contains one by accident about never.
PLACEHOLDER_WORDS = (
    "changeme",
    "changethis",
    "changein",
    "replaceme",
    "replacethis",
    "yoursecret",
    "mysecret",
    "supersecret",
    "topsecret",
    "jwtsecret",
    "secretkey",
    "placeholder",
    "example",
    "insecure",
    "donotuse",
    "password",
    # The key printed in FastAPI's tutorial.
    "09d25e094faa6ca2556c818166b7a956",
)
ASYMMETRIC_MARKS = ("-----BEGIN", "ssh-", "ecdsa-", "{")

_REVOKED = re.compile(r"revoked[ \t:]+([A-Za-z0-9_-]{8,64})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key and the one algorithm that it is used with. `kid` names it in a token's header and does not tell it.

    `private` signs and `public` verifies; of a shared secret both are the secret, and nothing of it is shown (`jwk`).
    """

    kid: str
    algorithm: str
    private: Any = field(repr=False, compare=False)
    public: Any = field(repr=False, compare=False)
    jwk: PublicJwk | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyList:
    """What a file of keys says: keys in their order, and the names of keys that must not be believed any more."""

    keys: tuple[Key, ...] = ()
    revoked: frozenset[str] = frozenset()


class KeySet(Protocol):
    """Port: what signs new tokens, and what verifies the tokens of others that hold the same keys."""

    def signing_key(self) -> Key: ...

    def verification_key(self, kid: str) -> Key | None: ...

    def published(self) -> tuple[PublicJwk, ...]:
        """The public halves of all keys that verify, those of shared secrets left out."""

    def generation(self) -> int:
        """Another number when a key is believed no more: what was verified before must be verified again."""


class FixedKeys:
    """Keys that never change: the first signs, the others only verify."""

    def __init__(self, listed: KeyList, *, setting: str) -> None:
        keys = [key for key in listed.keys if key.kid not in listed.revoked]
        if not keys:
            raise ValueError(
                f"{setting} is empty" if not listed.keys else f"{setting} holds revoked keys only"
            )
        self._signing = keys[0]
        self._by_kid = {key.kid: key for key in keys}

    def signing_key(self) -> Key:
        return self._signing

    def verification_key(self, kid: str) -> Key | None:
        return self._by_kid.get(kid)

    def published(self) -> tuple[PublicJwk, ...]:
        return tuple(key.jwk for key in self._by_kid.values() if key.jwk is not None)

    def generation(self) -> int:
        return 0


class SecretKeys(FixedKeys):
    """HS256 keys from text, one secret per line."""

    def __init__(self, secrets: str, *, setting: str) -> None:
        super().__init__(read_secrets(secrets, setting=setting), setting=setting)


class NoKeys:
    """Where tokens of our own are switched off: none is made, and none is believed."""

    def signing_key(self) -> Key:
        raise NotFound

    def verification_key(self, kid: str) -> Key | None:
        return None

    def published(self) -> tuple[PublicJwk, ...]:
        return ()

    def generation(self) -> int:
        return 0


def read_secrets(text: str, *, setting: str) -> KeyList:
    """One secret per line, or `revoked <kid>`. Raises ValueError that names the setting and never a value."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    revoked = revoked_kids(lines, setting=setting)
    secrets = [line for line in lines if not _REVOKED.fullmatch(line)]
    return KeyList(keys=unique([_key(line, setting) for line in secrets]), revoked=revoked)


def revoked_kids(lines: Iterable[str], *, setting: str) -> frozenset[str]:
    """Of lines such as `revoked 4f1c…`. One that names no key is refused: somebody is in a hurry and relies on it."""
    found = [(line.strip(), _REVOKED.fullmatch(line.strip())) for line in lines]
    if any(line.startswith("revoked") and match is None for line, match in found):
        raise ValueError(f"{setting} has a line that starts with `revoked` and names no key")
    return frozenset(match[1] for _, match in found if match is not None)


def unique(keys: Iterable[Key]) -> tuple[Key, ...]:
    """Each once, in the order of their first."""
    by_kid: dict[str, Key] = {}
    for key in keys:
        by_kid.setdefault(key.kid, key)
    return tuple(by_kid.values())


def _key(secret: str, setting: str) -> Key:
    refuse_weak_secret(secret, setting=setting)
    raw = secret.encode()
    kid = hashlib.sha256(b"slipway kid\0" + raw).hexdigest()[:16]
    return Key(kid=kid, algorithm=HS256, private=raw, public=raw)


def holds_placeholder(secret: str) -> bool:
    """Whether it was copied from documentation or a template."""
    letters = re.sub(r"[^a-z0-9]", "", secret.lower())
    return any(word in letters for word in PLACEHOLDER_WORDS)


def refuse_weak_secret(secret: str, *, setting: str) -> None:
    """Raises ValueError that names the setting and never its value."""
    raw = secret.encode()
    if len(raw) < MIN_SECRET_BYTES:
        raise ValueError(f"{setting} needs at least {MIN_SECRET_BYTES} bytes")
    if holds_placeholder(secret) or len(set(raw)) < MIN_DISTINCT_BYTES:
        raise ValueError(
            f"{setting} holds a placeholder: generate a secret, for example with `openssl rand -base64 48`"
        )
    if secret.startswith(ASYMMETRIC_MARKS):
        raise ValueError(f"{setting} holds a key of another kind; a shared secret is needed")
