"""Keys made for tests: private ones in PEM by their kind, and shared secrets."""

from __future__ import annotations

import secrets
from functools import cache

from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

GOOD_KINDS = {"RS256": "rsa-2048", "ES256": "p-256", "EdDSA": "ed25519"}
_MAKERS = {
    "rsa-2048": lambda: rsa.generate_private_key(65537, 2048),
    "rsa-1024": lambda: rsa.generate_private_key(65537, 1024),
    "rsa-e3": lambda: rsa.generate_private_key(3, 2048),
    "p-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "secp256k1": lambda: ec.generate_private_key(ec.SECP256K1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "ed448": ed448.Ed448PrivateKey.generate,
    "x25519": x25519.X25519PrivateKey.generate,
    "dsa": lambda: dsa.generate_private_key(1024),
}


def shared_secret() -> str:
    return secrets.token_urlsafe(48)


@cache
def private_key(kind: str, number: int = 0) -> object:
    """The same for the same `kind` and `number` in one process: large ones take their time."""
    return _MAKERS[kind]()


def pem(kind: str, number: int = 0, *, form: PrivateFormat = PrivateFormat.PKCS8, password: str = "") -> str:
    encryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    return private_key(kind, number).private_bytes(Encoding.PEM, form, encryption).decode()  # type: ignore[attr-defined]


def damaged_rsa(part: str) -> str:
    """Well formed, with one number of it changed."""
    numbers = private_key("rsa-2048").private_numbers()  # type: ignore[attr-defined]
    parts = {name: getattr(numbers, name) for name in ("p", "q", "d", "dmp1", "dmq1", "iqmp")}
    parts[part] += 2
    made = rsa.RSAPrivateNumbers(**parts, public_numbers=numbers.public_numbers)
    private = made.private_key(unsafe_skip_rsa_key_validation=True)
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_pem(kind: str, number: int = 0) -> str:
    public = private_key(kind, number).public_key()  # type: ignore[attr-defined]
    text: bytes = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return text.decode()
