"""Tokens that are rightly signed and say what must not be believed."""

from __future__ import annotations

import json
from typing import Any

from tests.attacks.corpus.minting import NOW, Mint

NEVER = NOW + 900


def times(mint: Mint) -> dict[str, str]:
    made = {
        "expired": mint.token(claims={"exp": NOW - 60, "iat": NOW - 900, "nbf": NOW - 900}),
        "expired an hour ago": mint.token(claims={"exp": NOW - 3600, "iat": NOW - 7000, "nbf": NOW - 7000}),
        "expiry zero": mint.token(claims={"exp": 0}),
        "expiry negative": mint.token(claims={"exp": -1}),
        "not yet valid": mint.token(claims={"nbf": NOW + 60}),
        "issued in the future": mint.token(claims={"iat": NOW + 60}),
        "valid in a year": mint.token(claims={"nbf": NOW + 31_536_000, "exp": NOW + 31_536_900}),
    }
    if not mint.strict:
        made["lives for ever"] = mint.token(claims={"exp": NOW + 10 * 31_536_000})
        made["lives too long"] = mint.token(claims={"exp": NOW + 90_000})
    return made


def wrong_types(mint: Mint) -> dict[str, str]:
    issuer, audience = mint.issuer, mint.audience
    values: dict[str, tuple[Any, ...]] = {
        "exp": (None, True, "1800000900", [NEVER], {"at": NEVER}),
        "iat": (None, False, "1800000000", [NOW]),
        "nbf": (None, True, "0", []),
        "sub": (None, 7, "", ["ada"], {"name": "ada"}, "a" * 2000, "ada\u0000", "ada\nroot", "ada\x7f"),
        "iss": (None, 7, "", [issuer], issuer.upper(), f"{issuer}/", f"{issuer}.evil.example", issuer[:-1]),
        "aud": (None, 7, "", [], {"x": audience}),
    }
    if mint.strict:
        values |= {
            "jti": (None, 7, "", ["x"], "x" * 256),
            "scope": (None, 7, ["predict"], 'predict "', "predict\tadmin", "predict\nadmin"),
            "uid": ("7", 7.5, True, [7], 0, -7, 2**63),
            "sid": (7, [], {}, "", "s" * 256, "a\nb"),
            "iat_us": (None, "7", 0.5, True, [7], -1, 1_000_000, 60_000_000),
        }
    else:
        values["sub"] += (" ada", "ada ")
    return {
        f"{claim} is {json.dumps(value)[:40]}": mint.token(claims={claim: value})
        for claim, all_of_it in values.items()
        for value in all_of_it
    }


def audiences(mint: Mint) -> dict[str, str]:
    ours = mint.audience
    said: dict[str, Any] = {
        "of another service": "billing",
        "a prefix of ours": ours[:-1],
        "starting with ours": f"{ours}-admin",
        "in another case": ours.upper(),
        "with a blank": f"{ours} ",
        "several in one string": f"billing {ours}",
        "a list in a list": [[ours]],
        "of the cluster itself": ["https://kubernetes.default.svc.cluster.local"],
        "a list of others": ["billing", "payroll"],
        "a list with a number in it": [7, ours],
    }
    if mint.strict:
        said["a list with ours in it"] = ["billing", ours]
    return {f"audience {name}": mint.token(claims={"aud": value}) for name, value in said.items()}


def missing(mint: Mint) -> dict[str, str]:
    names = ("iss", "aud", "sub", "exp", *(("jti", "iat", "typ", "kid") if mint.strict else ("kid",)))
    return {f"no {name}": mint.token(without=name) for name in names}


def token_types(mint: Mint) -> dict[str, str]:
    types: dict[str, Any] = {
        "a refresh token": "rt+jwt",
        "a logout token": "logout+jwt",
        "a DPoP proof": "dpop+jwt",
        "a security event": "secevent+jwt",
        "typ null": None,
        "typ a list": ["at+jwt"],
        "typ starting like ours": "at+jwt-not",
        "typ ending like ours": "application/x-at+jwt",
    }
    if mint.header.get("typ") == "at+jwt":
        types |= {"an identity token": "JWT", "typ empty": ""}
    made = {name: mint.token(header={"typ": typ}) for name, typ in types.items()}
    if "typ" not in mint.header:
        return made
    if mint.header["typ"] == "JWT":
        made |= _other_kinds(mint)
    identity = {"nonce": "n-0S6", "at_hash": "x", "auth_time": NOW}
    made["an identity token with its claims"] = mint.token(header={"typ": "JWT"}, claims=identity)
    return made


def _other_kinds(mint: Mint) -> dict[str, str]:
    """Of a provider that calls all its tokens a JWT: what tells the other kinds from an access token."""
    signs: dict[str, dict[str, Any]] = {
        "nonce": {"nonce": "n-0S6"},
        "at_hash": {"at_hash": "x"},
        "events": {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}},
        "Keycloak's ID": {"typ": "ID"},
        "Keycloak's refresh": {"typ": "Refresh"},
        "Cognito's": {"token_use": "id"},
    }
    made = {f"an identity token by {name}": mint.token(claims=claims) for name, claims in signs.items()}
    made["an identity token by what it lacks"] = mint.token(without="client_id")
    made["without what the policy requires"] = mint.token(without="roles")
    made["almost what the policy requires"] = mint.token(claims={"roles": ["callers"]})
    return made


def service_accounts(mint: Mint) -> dict[str, str]:
    """Tokens of a cluster that are no ServiceAccount's, or another's than they say. Only a cluster makes them."""
    if "kubernetes.io" not in mint.claims:
        return {}
    bound = mint.claims["kubernetes.io"]
    said: dict[str, dict[str, Any]] = {
        "another name": {"sub": "system:serviceaccount:shop:admin"},
        "another namespace": {"sub": "system:serviceaccount:kube-system:checkout"},
        "a user": {"sub": "system:admin"},
        "a node": {"sub": "system:node:a"},
        "no account": {"kubernetes.io": {"namespace": "shop"}},
        "an account without a name": {"kubernetes.io": {**bound, "serviceaccount": {"name": ""}}},
        "an account as text": {"kubernetes.io": {**bound, "serviceaccount": "checkout"}},
        "bound to text": {"kubernetes.io": "shop"},
        "bound to nothing": {"kubernetes.io": None},
    }
    made = {f"account: {name}": mint.token(claims=claims) for name, claims in said.items()}
    made["account: unbound"] = mint.token(without="kubernetes.io")
    return made
