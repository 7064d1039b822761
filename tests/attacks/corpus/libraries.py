"""The plainer tricks again, with tokens that two libraries made, and good tokens of theirs as a control."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from typing import Any

import jwt
from joserfc import jwt as jose
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from tests.attacks.corpus.minting import NOW, Mint, Private

Encode = Callable[[dict[str, Any], dict[str, Any], Private], str]
JOSE_KEYS: dict[str, Any] = {"H": OctKey, "R": RSAKey, "P": RSAKey, "ES": ECKey, "Ed": OKPKey}


def by_pyjwt(header: dict[str, Any], claims: dict[str, Any], key: Private) -> str:
    more = {name: value for name, value in header.items() if name != "alg"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about keys that are too short, which is the point
        return jwt.encode(claims, key, algorithm=header["alg"], headers=more)


def by_joserfc(header: dict[str, Any], claims: dict[str, Any], key: Private) -> str:
    kind = JOSE_KEYS.get(header["alg"][:1]) or JOSE_KEYS[header["alg"][:2]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = kind.import_key(key)
        return jose.encode(header, claims, made, algorithms=[header["alg"]])


def _unsigned_by_pyjwt(mint: Mint) -> str:
    return jwt.encode(mint.claims, "", algorithm="none", headers={**mint.header, "alg": "none"})


def libraries(mint: Mint) -> dict[str, str]:
    made = {"alg none, by PyJWT": _unsigned_by_pyjwt(mint)}
    for name, encode in (("PyJWT", by_pyjwt), ("joserfc", by_joserfc)):
        made |= {f"{trick}, by {name}": token for trick, token in _tricks(mint, encode).items()}
    return made


def _tricks(mint: Mint, encode: Encode) -> dict[str, str]:
    header, claims, key = mint.header, mint.claims, mint.key
    old = {"exp": NOW - 60, "iat": NOW - 900, "nbf": NOW - 900}
    made = {
        "another key": encode(header, claims, mint.other_key),
        "another key, unknown kid": encode({**header, "kid": "theirs"}, claims, mint.other_key),
        "expired": encode(header, {**claims, **old}, key),
        "not yet valid": encode(header, {**claims, "nbf": NOW + 60}, key),
        "another audience": encode(header, {**claims, "aud": "billing"}, key),
        "another issuer": encode(header, {**claims, "iss": "https://evil.example"}, key),
        "no subject": encode(header, {name: claims[name] for name in claims if name != "sub"}, key),
        "no expiry": encode(header, {name: claims[name] for name in claims if name != "exp"}, key),
        "a refresh token": encode({**header, "typ": "rt+jwt"}, claims, key),
        "no kid": encode({name: header[name] for name in header if name != "kid"}, claims, key),
    }
    return made


def good_tokens(mint: Mint) -> dict[str, str]:
    """What must be accepted, or the whole corpus says nothing."""
    made = {
        "by hand": mint.good,
        "by PyJWT": by_pyjwt(mint.header, mint.claims, mint.key),
        "by joserfc": by_joserfc(mint.header, mint.claims, mint.key),
        "without nbf": mint.token(without="nbf"),
        "clock ahead by the leeway": mint.token(claims={"iat": NOW + 4, "nbf": NOW + 4}),
        "expired within the leeway": mint.token(claims={"exp": NOW - 4, "iat": NOW - 900, "nbf": NOW - 900}),
        "claims that nobody here reads": mint.token(claims={"email": "ada@example.org", "groups": ["a"]}),
        "times with fractions": mint.token(claims={"iat": NOW - 0.5, "exp": NOW + 900.5}),
        "short-lived": mint.token(claims={"exp": NOW + 1}),
        "header in another order": mint.sealed(_reversed(mint), mint.claims_json),
    }
    if "typ" in mint.header:
        made["typ as a media type"] = mint.token(header={"typ": "application/at+jwt"})
        made["typ in capitals"] = mint.token(header={"typ": "AT+JWT"})
    if mint.strict:
        made["without scope"] = mint.token(without="scope")
        made["without uid"] = mint.token(without="uid")
        made["uid null"] = mint.token(claims={"uid": None})
        made["scope with several blanks"] = mint.token(claims={"scope": "predict  read "})
        made["subject with letters of the world"] = mint.token(claims={"sub": "Åda Łovelace"})
    else:
        made["one of several audiences"] = mint.token(claims={"aud": ["billing", mint.audience]})
        made["a list of one audience"] = mint.token(claims={"aud": [mint.audience]})
    return made


def _reversed(mint: Mint) -> bytes:
    return json.dumps(dict(reversed(mint.header.items()))).encode()
