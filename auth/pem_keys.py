"""Private keys in PEM that sign tokens: each kind of key has one algorithm, and weak keys are refused."""

from __future__ import annotations

import re

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from auth.jwk_document import PublicJwk, number, public_jwk, unpadded
from auth.keys import EDDSA, ES256, RS256, FixedKeys, Key, KeyList, revoked_kids, unique

MIN_RSA_BITS = 2048
MIN_RSA_EXPONENT = 65537
P256_BYTES = 32

_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----[ \t]*", re.DOTALL)
_IGNORED = "EC PARAMETERS"  # what `openssl ecparam -genkey` writes first; the key itself says its curve


class PemKeys(FixedKeys):
    """Keys from PEM text, which never change: the first signs, the others only verify."""

    def __init__(self, text: str, *, setting: str) -> None:
        super().__init__(read_pem_keys(text, setting=setting), setting=setting)


def read_pem_keys(text: str, *, setting: str) -> KeyList:
    """The keys in their order; text around them means nothing (RFC 7468), but for lines `revoked <kid>`.

    Raises ValueError that names the setting and nothing of what was read.
    """
    around = _BLOCK.sub("", text)
    if "-----" in around:
        raise ValueError(f"{setting} holds a key that is cut off")
    found = [
        _key(block[0], block[1], setting) for block in _BLOCK.finditer(text) if block[1].strip() != _IGNORED
    ]
    return KeyList(keys=unique(found), revoked=revoked_kids(around.splitlines(), setting=setting))


def _key(block: str, label: str, setting: str) -> Key:
    if not label.endswith("PRIVATE KEY"):
        raise ValueError(f"{setting} holds something that is no private key: private keys in PEM are needed")
    try:
        # OpenSSL's own check of an RSA key looks for primes, and holds up every request for a second with 4096 bits.
        private = load_pem_private_key(block.encode(), password=None, unsafe_skip_rsa_key_validation=True)
    except TypeError:
        raise ValueError(
            f"{setting} holds an encrypted key, and there is nobody to ask for its password"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        # Not chained: what was read stays out of every traceback.
        raise ValueError(f"{setting} holds a private key that cannot be read") from None
    if isinstance(private, RSAPrivateKey):
        return _rsa(private, setting)
    if isinstance(private, EllipticCurvePrivateKey):
        return _p256(private, setting)
    if isinstance(private, Ed25519PrivateKey):
        return _ed25519(private)
    raise ValueError(f"{setting} holds a key of a kind that signs no tokens: RSA, P-256 or Ed25519 is needed")


def _rsa(private: RSAPrivateKey, setting: str) -> Key:
    public = private.public_key()
    numbers = public.public_numbers()
    if private.key_size < MIN_RSA_BITS or numbers.e < MIN_RSA_EXPONENT:
        raise ValueError(
            f"{setting} holds a weak RSA key: at least {MIN_RSA_BITS} bits and the exponent {MIN_RSA_EXPONENT}"
        )
    if not _fits_together(private):
        raise ValueError(f"{setting} holds a private key that cannot be read")
    jwk = public_jwk(RS256, {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)})
    return _made(jwk, private, public)


def _fits_together(private: RSAPrivateKey) -> bool:
    """Whether no part is damaged: all that OpenSSL would check but that the factors are primes."""
    parts = private.private_numbers()
    p, q, d, public = parts.p, parts.q, parts.d, parts.public_numbers
    if p * q != public.n or min(p, q) < 3:
        return False
    inverse = public.e * d % (p - 1) == public.e * d % (q - 1) == 1
    return inverse and (parts.dmp1, parts.dmq1, parts.iqmp * q % p) == (d % (p - 1), d % (q - 1), 1)


def _p256(private: EllipticCurvePrivateKey, setting: str) -> Key:
    if not isinstance(private.curve, SECP256R1):
        raise ValueError(f"{setting} holds a key on another curve than P-256")
    public = private.public_key()
    point = public.public_numbers()
    x, y = number(point.x, P256_BYTES), number(point.y, P256_BYTES)
    return _made(public_jwk(ES256, {"kty": "EC", "crv": "P-256", "x": x, "y": y}), private, public)


def _ed25519(private: Ed25519PrivateKey) -> Key:
    public = private.public_key()
    x = unpadded(public.public_bytes(Encoding.Raw, PublicFormat.Raw))
    return _made(public_jwk(EDDSA, {"kty": "OKP", "crv": "Ed25519", "x": x}), private, public)


def _made(jwk: PublicJwk, private: object, public: object) -> Key:
    return Key(kid=jwk.kid, algorithm=jwk.alg, private=private, public=public, jwk=jwk)
