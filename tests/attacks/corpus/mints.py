"""The signers of the attack suite: ourselves with each kind of key, a company's provider, and a cluster."""

from __future__ import annotations

import hashlib
import warnings
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import ECKey, OKPKey, RSAKey

from tests.attacks.corpus.minting import NOW, Mint, Private, segment

SECRET = "kJ4vQ9xTz2LmWc7RbN8yHs3FgD6pXaEo1UiVtY5w"  # made for these tests
OTHER_SECRET = b"another-0123456789-secret-that-is-long-enough"
ISSUER = "slipway"
AUDIENCE = "slipway-api"
CORP = "https://id.corp.test"
CLUSTER = "https://kubernetes.default.svc.cluster.local"
SERVICE_ACCOUNT = "system:serviceaccount:shop:checkout"
LOOSE = "https://loose.corp.test"
OWN_ALGORITHMS = ("RS256", "ES256", "EdDSA")
POLICY = f"""
[[issuers]]
name = "corp"
issuer = "{CORP}"
jwks_url = "{CORP}/jwks"
algorithms = ["RS256", "ES256"]

[[issuers]]
name = "loose"
issuer = "{LOOSE}"
jwks_url = "{LOOSE}/jwks"
algorithms = ["RS256"]
types = ["at+jwt", "JWT"]
require = {{ roles = "caller" }}

[[issuers]]
name = "cluster"
kind = "kubernetes"
issuer = "{CLUSTER}"

[[grants]]
issuer = "corp"
subject = "ada"
scopes = ["predict:iris"]

[[grants]]
issuer = "cluster"
subject = "system:serviceaccount:shop:*"
scopes = ["predict:iris"]
"""


def shared_kid(secret: str = SECRET) -> str:
    return hashlib.sha256(b"slipway kid\0" + secret.encode()).hexdigest()[:16]


@cache
def key_pair(algorithm: str, number: int = 0) -> Any:
    """Made once per process; `number` tells keys of one kind apart."""
    if algorithm[0] in "RP":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    if algorithm[0] == "E" and algorithm != "EdDSA":
        return ec.generate_private_key(ec.SECP256R1())
    return Ed25519PrivateKey.generate()


def public_jwk(key: Any) -> dict[str, Any]:
    """As the provider publishes it, with the thumbprint (RFC 7638) as `kid`; made by another library than ours."""
    kinds: dict[str, Any] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
    name = (
        "RSA" if isinstance(key, rsa.RSAPrivateKey) else "OKP" if isinstance(key, Ed25519PrivateKey) else "EC"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the one that is too short
        made = kinds[name].import_key(key.public_key())
    return {**made.as_dict(private=False), "kid": made.thumbprint()}


def pem(key: Any) -> str:
    text: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return text.decode()


def published(name: str) -> list[dict[str, Any]]:
    """The key set of an issuer: two keys of a kind, so that a token must name one, and one that is for encryption."""
    mints = {"corp": (corp("RS256"), corp("ES256")), "loose": (loose(),), "cluster": (cluster(),)}[name]
    keys = [mint.key for mint in mints] + [key_pair(mint.algorithm, 50) for mint in mints]
    return [*(public_jwk(key) for key in keys), *(public for _, public in unfit_keys().values())]


@cache
def unfit_keys() -> dict[str, tuple[Private, dict[str, Any]]]:
    """Keys that every provider publishes and that verify no token, with what it says of each."""
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    for_encryption, wrapping, leaked = (key_pair("RS256", number) for number in (60, 61, 62))
    secret = b"a secret that a provider has published by mistake"
    exponent = RSAKey.import_key(leaked).as_dict(private=True)["d"]
    oct_key = {"kty": "oct", "k": segment(secret), "alg": "HS256", "kid": "shared"}
    return {
        "for encryption": (for_encryption, {**public_jwk(for_encryption), "use": "enc"}),
        "for wrapping keys": (wrapping, {**public_jwk(wrapping), "key_ops": ["wrapKey"]}),
        "for another algorithm": (
            key_pair("RS256", 63),
            {**public_jwk(key_pair("RS256", 63)), "alg": "PS256"},
        ),
        "too short": (weak, public_jwk(weak)),
        "published whole": (leaked, {**public_jwk(leaked), "d": exponent}),
        "a shared secret": (secret, oct_key),
    }


def own_claims() -> dict[str, Any]:
    return {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "ada",
        "jti": "0f1e2d3c4b5a",
        "exp": NOW + 900,
        "iat": NOW,
        "nbf": NOW,
        "scope": "predict read",
        "uid": 7,
    }


def _mint(name: str, algorithm: str, claims: dict[str, Any], **more: Any) -> Mint:
    key: Private = key_pair(algorithm, more.pop("number", 0))
    typ = {"typ": more.pop("typ")} if "typ" in more else {"typ": "at+jwt"}
    header = {"alg": algorithm, **({} if typ["typ"] is None else typ), "kid": public_jwk(key)["kid"]}
    return Mint(
        name=name,
        algorithm=algorithm,
        key=key,
        other_key=key_pair(algorithm, 99),
        header=header,
        claims=claims,
        **more,
    )


@cache
def own_shared() -> Mint:
    header = {"alg": "HS256", "typ": "at+jwt", "kid": shared_kid()}
    return Mint(
        name="own HS256",
        algorithm="HS256",
        key=SECRET.encode(),
        other_key=OTHER_SECRET,
        header=header,
        claims=own_claims(),
    )


@cache
def own_pair(algorithm: str) -> Mint:
    return _mint(f"own {algorithm}", algorithm, own_claims())


@cache
def corp(algorithm: str = "RS256") -> Mint:
    """A company's provider; its set also holds a second key, so that a token must name one."""
    claims = {"iss": CORP, "aud": AUDIENCE, "sub": "ada", "exp": NOW + 900, "iat": NOW, "jti": "7"}
    return _mint(f"corp {algorithm}", algorithm, claims, strict=False, number=1)


@cache
def loose() -> Mint:
    """A provider that calls every token of its a JWT, so that more has to be asked of an access token."""
    said = {"client_id": "shop", "roles": ["caller"]}
    claims = {"iss": LOOSE, "aud": AUDIENCE, "sub": "ada", "exp": NOW + 900, "iat": NOW, **said}
    return _mint("loose", "RS256", claims, strict=False, number=3, typ="JWT")


@cache
def cluster() -> Mint:
    """A projected ServiceAccount token, as kube-apiserver makes them."""
    bound = {"namespace": "shop", "serviceaccount": {"name": "checkout", "uid": "5c0f"}, "pod": {"name": "a"}}
    claims = {
        "iss": CLUSTER,
        "aud": [AUDIENCE],
        "sub": SERVICE_ACCOUNT,
        "exp": NOW + 3600,
        "iat": NOW,
        "nbf": NOW,
        "jti": "8",
        "kubernetes.io": bound,
    }
    return _mint("cluster", "RS256", claims, strict=False, number=2, typ=None)


def everybody() -> tuple[Mint, ...]:
    own = (own_shared(), *(own_pair(algorithm) for algorithm in OWN_ALGORITHMS))
    return (*own, corp("RS256"), corp("ES256"), loose(), cluster())
