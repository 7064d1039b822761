"""The key pair of whoever approves versions: made here, kept elsewhere; only its public half goes to those who serve."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from training.errors import SigningFailed


def make_pair(private: Path) -> Path:
    """Writes the private key, for its owner alone, and the public one beside it, which it returns.

    Raises SigningFailed rather than replace a key, or put one where Git would take it along.
    """
    public = private.with_name(private.name + ".pub")
    if private.exists() or public.exists():
        raise SigningFailed(f"{private} or {public} is there already; a key is never replaced")
    if inside := _repository(private):
        raise SigningFailed(f"{private} lies in the Git repository {inside}: keep a private key out of it")
    key = generate_private_key(SECP256R1())
    private.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(_public(key))
    return public


def public_half(private: bytes) -> bytes:
    """Raises SigningFailed for what is no private key of an elliptic curve, or has a password."""
    try:
        key = load_pem_private_key(private, None)
    except (ValueError, TypeError) as error:
        raise SigningFailed("MODEL_SIGNING_KEY holds no private key in PEM without a password") from error
    if not isinstance(key, EllipticCurvePrivateKey):
        raise SigningFailed("MODEL_SIGNING_KEY holds no key of an elliptic curve")
    return _public(key)


def _public(key: EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _repository(path: Path) -> Path | None:
    return next((folder for folder in path.resolve().parents if (folder / ".git").exists()), None)
