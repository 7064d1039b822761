"""By which keys an account's failed logins and known addresses are counted: who counts them and who erases them must agree."""

from __future__ import annotations

import hashlib


def account_key(username: str) -> str:
    """Digested: in the field of the name, people also type passwords."""
    return f"account:{_digest(username)}"


def pair_prefix(username: str) -> str:
    """What keys of the account at some address start with."""
    return f"known:{_digest(username)}:"


def _digest(username: str) -> str:
    return hashlib.sha256(username.encode("utf-8", "surrogatepass")).hexdigest()[:32]
