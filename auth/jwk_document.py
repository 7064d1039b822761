"""Public keys as others read them: JSON Web Keys (RFC 7517), and the thumbprint that names one (RFC 7638)."""

from __future__ import annotations

import base64
import hashlib

import msgspec

THUMBPRINT_MEMBERS = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x")}


class PublicJwk(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One public key. There is no member for a private half, so that none can ever be shown."""

    kty: str
    use: str
    alg: str
    kid: str
    crv: str | None = None
    x: str | None = None
    y: str | None = None
    n: str | None = None
    e: str | None = None


class JwkSet(msgspec.Struct, frozen=True):
    """What `/.well-known/jwks.json` answers."""

    keys: tuple[PublicJwk, ...]


def public_jwk(algorithm: str, members: dict[str, str]) -> PublicJwk:
    """`members` are those of the public key alone, `kty` among them; its thumbprint becomes its name."""
    return PublicJwk(use="sig", alg=algorithm, kid=thumbprint(members), **members)


def thumbprint(members: dict[str, str]) -> str:
    """The same for the same key, whoever computes it."""
    wanted = {name: members[name] for name in THUMBPRINT_MEMBERS[members["kty"]]}
    return unpadded(hashlib.sha256(msgspec.json.encode(wanted)).digest())


def unpadded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def number(value: int, length: int | None = None) -> str:
    """As many bytes as it needs, or `length` (coordinates keep their zeros: RFC 7518, section 6.2)."""
    return unpadded(value.to_bytes(length or (value.bit_length() + 7) // 8, "big"))
