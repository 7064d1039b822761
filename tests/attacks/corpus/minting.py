"""Tokens made by hand, so that every part of one can be wrong, whoever signs them and with whatever kind of key."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

NOW = 1_800_000_000
HASHES: dict[str, Any] = {
    "256": (hashlib.sha256, hashes.SHA256),
    "384": (hashlib.sha384, hashes.SHA384),
    "512": (hashlib.sha512, hashes.SHA512),
}
Private = bytes | rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | Ed25519PrivateKey


def segment(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def signature(algorithm: str, key: Private, signed: bytes) -> bytes:
    """RFC 7518, section 3.1; `algorithm` may be one that nobody should use with this key."""
    if isinstance(key, Ed25519PrivateKey):
        return key.sign(signed)
    hmac_hash, key_hash = HASHES[algorithm[2:]]
    if isinstance(key, bytes):
        return hmac.new(key, signed, hmac_hash).digest()
    if isinstance(key, rsa.RSAPrivateKey):
        pss = padding.PSS(padding.MGF1(key_hash()), key_hash().digest_size)
        return key.sign(signed, pss if algorithm[0] == "P" else padding.PKCS1v15(), key_hash())
    first, second = decode_dss_signature(key.sign(signed, ec.ECDSA(key_hash())))
    size = (key.curve.key_size + 7) // 8
    return first.to_bytes(size, "big") + second.to_bytes(size, "big")


@dataclass(frozen=True, kw_only=True)
class Mint:
    """Somebody whose tokens are believed: `header` and `claims` are those of a good token.

    `strict` says that the tokens are ours, of which nothing may be missing and to which nothing may be added.
    """

    name: str
    algorithm: str
    key: Private
    other_key: Private
    header: dict[str, Any]
    claims: dict[str, Any]
    strict: bool = True

    @property
    def issuer(self) -> str:
        return str(self.claims["iss"])

    @property
    def audience(self) -> str:
        named = self.claims["aud"]
        return str(named[0] if isinstance(named, list) else named)

    @property
    def kid(self) -> str:
        return str(self.header["kid"])

    @cached_property
    def good(self) -> str:
        return self.token()

    @cached_property
    def header_json(self) -> bytes:
        return json.dumps(self.header).encode()

    @cached_property
    def claims_json(self) -> bytes:
        return json.dumps(self.claims).encode()

    def sealed(
        self, header: bytes, payload: bytes, *, key: Private | None = None, algorithm: str = ""
    ) -> str:
        """Any bytes, rightly signed."""
        signed = f"{segment(header)}.{segment(payload)}"
        made = signature(algorithm or self.algorithm, self.key if key is None else key, signed.encode())
        return f"{signed}.{segment(made)}"

    def token(
        self,
        *,
        header: dict[str, Any] | None = None,
        claims: dict[str, Any] | None = None,
        without: str = "",
        key: Private | None = None,
        algorithm: str = "",
    ) -> str:
        """A good token, but for the members given; signed for real."""
        heads = {**self.header, **(header or {})}
        said = {**self.claims, **(claims or {})}
        heads.pop(without, None)
        said.pop(without, None)
        return self.sealed(
            json.dumps(heads).encode(), json.dumps(said).encode(), key=key, algorithm=algorithm
        )

    def saying(self, **claims: Any) -> Mint:
        """The same signer with other claims."""
        return replace(self, claims={**self.claims, **claims})

    def now(self) -> Mint:
        """The same signer today: the corpus lives at a time of its own, a served worker does not."""
        late = int(time.time()) - NOW
        return self.saying(
            **{name: self.claims[name] + late for name in ("exp", "iat", "nbf") if name in self.claims}
        )

    def public_spellings(self) -> dict[str, bytes]:
        """Every way in which the public key could be taken for a shared secret."""
        if isinstance(self.key, bytes):
            return {}
        public = self.key.public_key()
        plain = serialization.PublicFormat.SubjectPublicKeyInfo
        pem = public.public_bytes(serialization.Encoding.PEM, plain)
        return {
            "PEM": pem,
            "PEM without its last line break": pem.rstrip(),
            "PEM body": b"".join(pem.splitlines()[1:-1]),
            "DER": public.public_bytes(serialization.Encoding.DER, plain),
            "raw numbers": _numbers(public),
        }


def _numbers(public: Any) -> bytes:
    """What a JWK spells as `n`, or `x`."""
    if isinstance(public, rsa.RSAPublicKey):
        modulus = public.public_numbers().n
        return modulus.to_bytes((modulus.bit_length() + 7) // 8, "big")
    if isinstance(public, ec.EllipticCurvePublicKey):
        return public.public_numbers().x.to_bytes(32, "big")
    raw: bytes = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return raw
