"""The keys that sign and verify tokens: where they come from, and how they change without a restart."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

HS256 = "HS256"
MIN_SECRET_BYTES = 32
MIN_DISTINCT_BYTES = 9
RECHECK_SECONDS = 1.0

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

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Key:
    """`kid` names the key in a token's header; it is derived from the secret and does not tell it."""

    kid: str
    algorithm: str
    secret: bytes = field(repr=False)


class KeySet(Protocol):
    """Port: what signs new tokens, and what verifies the tokens of others that hold the same keys."""

    def signing_key(self) -> Key: ...

    def verification_key(self, kid: str) -> Key | None: ...

    def generation(self) -> int:
        """Another number as soon as the keys are others: what was verified before must be verified again."""


class SecretKeys:
    """HS256 keys from text, one secret per line: the first signs, the others only verify while a rotation lasts."""

    def __init__(self, secrets: str, *, setting: str) -> None:
        lines = [line.strip() for line in secrets.splitlines() if line.strip()]
        if not lines:
            raise ValueError(f"{setting} is empty")
        keys = [_key(line, setting) for line in lines]
        self._signing = keys[0]
        self._by_kid = {key.kid: key for key in keys}

    def signing_key(self) -> Key:
        return self._signing

    def verification_key(self, kid: str) -> Key | None:
        return self._by_kid.get(kid)

    def generation(self) -> int:
        return 0


class MountedSecretKeys:
    """The same from a mounted file, looked at again at most once per second; a bad new file leaves the old keys."""

    def __init__(self, path: Path, *, setting: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._path, self._setting, self._clock = path, setting, clock
        self._next_check = clock() + RECHECK_SECONDS
        try:
            self._stamp = self._stat()
            self._keys = self._read()
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"{setting} cannot be read") from error
        self._generation = 0

    def signing_key(self) -> Key:
        return self._current().signing_key()

    def verification_key(self, kid: str) -> Key | None:
        return self._current().verification_key(kid)

    def generation(self) -> int:
        self._current()
        return self._generation

    def _current(self) -> SecretKeys:
        now = self._clock()
        if now >= self._next_check:
            self._next_check = now + RECHECK_SECONDS
            self._reload()
        return self._keys

    def _reload(self) -> None:
        try:
            stamp = self._stat()
            if stamp == self._stamp:
                return
            self._keys = self._read()
        except (OSError, ValueError):
            # The error's text stays out of the log: it could quote what was read.
            log.error("%s changed and cannot be used; the previous keys stay", self._setting)
            return
        self._stamp = stamp
        self._generation += 1

    def _read(self) -> SecretKeys:
        return SecretKeys(self._path.read_text(encoding="utf-8"), setting=self._setting)

    def _stat(self) -> tuple[int, int, int]:
        found = os.stat(self._path)
        return found.st_mtime_ns, found.st_size, found.st_ino


def _key(secret: str, setting: str) -> Key:
    refuse_weak_secret(secret, setting=setting)
    raw = secret.encode()
    return Key(kid=hashlib.sha256(b"slipway kid\0" + raw).hexdigest()[:16], algorithm=HS256, secret=raw)


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
