"""Passwords at rest: Argon2id with OWASP's parameters, and equal work for users who do not exist."""

from __future__ import annotations

import base64
import os
import unicodedata

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

MEMORY_KIB = 19_456
ITERATIONS = 2
LANES = 1
SALT_BYTES = 16
HASH_BYTES = 32


class Passwords:
    """Each call takes 19 MiB and some 20 ms: bound how many run at once."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(
            time_cost=ITERATIONS,
            memory_cost=MEMORY_KIB,
            parallelism=LANES,
            hash_len=HASH_BYTES,
            salt_len=SALT_BYTES,
            type=Type.ID,
        )
        self.nobodys_hash = _hash_without_a_password()

    def hash(self, password: str) -> str:
        return self._hasher.hash(_normal(password))

    def verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, _normal(password))
        except (VerificationError, InvalidHashError):
            return False

    def verify_nobody(self, password: str) -> None:
        """The work of `verify` for a user who is not there, so that the time of an answer does not tell who is."""
        self.verify(self.nobodys_hash, password)

    def needs_rehash(self, password_hash: str) -> bool:
        return self._hasher.check_needs_rehash(password_hash)


def _normal(password: str) -> bytes:
    """One byte string for a password, whichever way a keyboard composes its letters."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


def _hash_without_a_password() -> str:
    """Well formed, with the parameters above, and made of random bytes: no password leads to it."""
    salt, digest = _unpadded(os.urandom(SALT_BYTES)), _unpadded(os.urandom(HASH_BYTES))
    return f"$argon2id$v=19$m={MEMORY_KIB},t={ITERATIONS},p={LANES}${salt}${digest}"


def _unpadded(raw: bytes) -> str:
    return base64.b64encode(raw).decode().rstrip("=")
