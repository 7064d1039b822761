"""Another issuer's public keys (RFC 7517), each bound to the algorithms that its kind can verify, and to no others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from auth.external_format import MAX_KID, read_object

MAX_SET_BYTES = 262_144
MAX_KEYS = 100
MIN_RSA_BITS, MAX_RSA_BITS = 2048, 8192

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey

RSA_ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
CURVES = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}

# Of a key's members, those that are kept: nothing private, no certificates and no addresses.
KEPT = ("kty", "kid", "alg", "use", "key_ops", "n", "e", "crv", "x", "y")


@dataclass(frozen=True, slots=True)
class ProviderKey:
    """`kid` is empty where the provider gave none. `algorithms` follow from the key, never from a token."""

    kid: str
    algorithms: frozenset[str]
    public: PublicKey = field(repr=False, compare=False)
    document: tuple[tuple[str, str], ...] = field(repr=False)


@dataclass(frozen=True)
class JwkSet:
    """Equal sets hold the same keys in the same order."""

    keys: tuple[ProviderKey, ...] = ()

    def fitting(self, kid: str | None, algorithm: str) -> list[ProviderKey]:
        """Those that a token may mean. Without a `kid` it may mean any."""
        return [
            key
            for key in self.keys
            if algorithm in key.algorithms and (kid is None or (kid and key.kid == kid))
        ]

    def to_members(self) -> list[dict[str, str]]:
        """As a document's `keys`, with public members only."""
        return [dict(key.document) for key in self.keys]


def parse_jwk_set(raw: bytes) -> JwkSet:
    """The keys that can verify signatures; others are left out. Raises ValueError where it is no set, or a huge one."""
    if len(raw) > MAX_SET_BYTES:
        raise ValueError("the key set is too large")
    try:
        return jwk_set_of(read_object(raw))
    except RecursionError:
        raise ValueError("the key set is too deep") from None


def jwk_set_of(document: Mapping[str, Any]) -> JwkSet:
    """Raises ValueError."""
    members = document.get("keys")
    if not isinstance(members, list) or len(members) > MAX_KEYS:
        raise ValueError("it is no key set")
    return JwkSet(tuple(key for key in map(_key, members) if key is not None))


def _key(members: Any) -> ProviderKey | None:
    """None for what is no public key for signatures: a shared secret, a key for encryption, a weak or unknown one."""
    if not isinstance(members, dict) or not _is_for_signatures(members):
        return None
    public = _public_key(members)
    algorithms = frozenset() if public is None else _algorithms(public)
    if "alg" in members:
        algorithms &= {members["alg"]} if isinstance(members["alg"], str) else set()
    kept = tuple((name, members[name]) for name in KEPT if isinstance(members.get(name), str))
    kid = str(dict(kept).get("kid", ""))
    if public is None or not algorithms or len(kid) > MAX_KID:
        return None
    return ProviderKey(kid, algorithms, public, kept)


def _is_for_signatures(members: Mapping[str, Any]) -> bool:
    operations = members.get("key_ops", ["verify"])
    return (
        members.get("use", "sig") == "sig"
        and isinstance(operations, list)
        and "verify" in operations
        and "d" not in members  # whoever can read the set could sign with it
    )


def _public_key(members: Mapping[str, Any]) -> PublicKey | None:
    text = {name: members[name] for name in KEPT if isinstance(members.get(name), str) and name != "alg"}
    try:
        key = jwt.PyJWK(text).key
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return None
    return key if isinstance(key, PublicKey) else None


def _algorithms(key: PublicKey) -> frozenset[str]:
    if isinstance(key, rsa.RSAPublicKey):
        return RSA_ALGORITHMS if MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS else frozenset()
    if isinstance(key, ec.EllipticCurvePublicKey):
        algorithm = CURVES.get(key.curve.name)
        return frozenset({algorithm} if algorithm else ())
    return frozenset({"EdDSA"})
