"""Key pairs of other issuers, and tokens made with them by two libraries: PyJWT and joserfc."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Mapping
from functools import cache
from typing import Any

import jwt as pyjwt
from joserfc import jwk, jws
from joserfc import jwt as joserfc_jwt
from joserfc.errors import SecurityWarning

KINDS = {
    "RS256": ("RSA", 2048),
    "RS384": ("RSA", 2048),
    "RS512": ("RSA", 2048),
    "PS256": ("RSA", 2048),
    "PS384": ("RSA", 2048),
    "PS512": ("RSA", 2048),
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "EdDSA": ("OKP", "Ed25519"),
}


@cache
def _made(kind: str, size: Any, name: str) -> Any:
    """Making an RSA key takes a while; the same name is the same key within a process."""
    make: Any = jwk.generate_key
    return make(kind, size, auto_kid=True)


class Signer:
    """One private key of a provider, for one algorithm. `kid` is its RFC 7638 thumbprint unless one is given."""

    def __init__(self, algorithm: str = "RS256", name: str = "first", *, kid: str | None = None) -> None:
        self.algorithm = algorithm
        self.key = _made(*KINDS[algorithm], name)
        self.kid = self.key.thumbprint() if kid is None else kid

    def public(self, **members: Any) -> dict[str, Any]:
        """The public half as a member of a set; `members` replace its own, and None takes one away."""
        own = {**self.key.as_dict(private=False), "kid": self.kid, "alg": self.algorithm, "use": "sig"}
        return {name: value for name, value in (own | members).items() if value is not None}

    def sign(self, claims: Mapping[str, Any], header: Mapping[str, Any] | None = None) -> str:
        """By joserfc. `header` replaces members; None takes one away."""
        own = {"alg": self.algorithm, "typ": "at+jwt", "kid": self.kid} | dict(header or {})
        told = {name: value for name, value in own.items() if value is not None}
        registry = jws.JWSRegistry(algorithms=[self.algorithm], strict_check_header=False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)  # RFC 9864 renames EdDSA; providers have not
            return joserfc_jwt.encode(
                told, dict(claims), self.key, algorithms=[self.algorithm], registry=registry
            )

    def sign_with_pyjwt(self, claims: Mapping[str, Any], header: Mapping[str, Any] | None = None) -> str:
        own = {"typ": "at+jwt", "kid": self.kid} | dict(header or {})
        return pyjwt.encode(dict(claims), self.key.private_key, algorithm=self.algorithm, headers=own)

    def sign_raw(self, payload: bytes, header: Mapping[str, Any]) -> str:
        """Whatever the payload and the header hold."""
        members = json.dumps({"alg": self.algorithm, "typ": "JWT", "kid": self.kid} | dict(header)).encode()
        covered = b".".join(pyjwt.utils.base64url_encode(part) for part in (members, payload))
        signature = pyjwt.PyJWS().get_algorithm_by_name(self.algorithm).sign(covered, self.key.private_key)
        return (covered + b"." + pyjwt.utils.base64url_encode(signature)).decode()


def access_claims(issuer: str, *, now: float | None = None, **claims: Any) -> dict[str, Any]:
    """Claims of a good access token of a provider; `claims` replace its own, and None takes one away."""
    moment = int(time.time() if now is None else now)
    own: dict[str, Any] = {
        "iss": issuer,
        "aud": "slipway",
        "sub": "ada",
        "iat": moment,
        "exp": moment + 300,
        "jti": f"{moment}-1",
        "client_id": "shop",
        "scope": "openid predict",
    }
    return {name: value for name, value in (own | claims).items() if value is not None}


def service_account_claims(issuer: str, *, now: float | None = None, **claims: Any) -> dict[str, Any]:
    """Claims as kube-apiserver makes them for a projected, audience-bound token of account `web` in `shop`."""
    moment = int(time.time() if now is None else now)
    own: dict[str, Any] = {
        "aud": ["slipway"],
        "exp": moment + 3600,
        "iat": moment,
        "iss": issuer,
        "jti": "0f4cd1f8-6a0c-4d5c-8b8a-6d4a1c6a5a11",
        "kubernetes.io": {
            "namespace": "shop",
            "node": {"name": "node-1", "uid": "b3b7a1f2-0f1e-4c1c-9f0e-8d5b1c0a7f11"},
            "pod": {"name": "web-5d8f9c7b6-abcde", "uid": "6a2fcb1e-7d3e-4b61-8f6a-0f5c2d1e9b22"},
            "serviceaccount": {"name": "web", "uid": "1d2c3b4a-5e6f-4a7b-8c9d-0e1f2a3b4c55"},
        },
        "nbf": moment,
        "sub": "system:serviceaccount:shop:web",
    }
    return {name: value for name, value in (own | claims).items() if value is not None}
