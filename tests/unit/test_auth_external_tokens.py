"""Tokens of other issuers: what passes, and that each rule by itself keeps something out."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelkit.errors import TokenExpired, Unauthenticated
from tests.external_issuer import CLUSTER, CORP, ISS, NOW, PLAIN, claims, corp, refuses, verifier
from tests.fakes.provider_keys import KINDS, Signer


@pytest.mark.parametrize("algorithm", sorted(KINDS))
@pytest.mark.parametrize("maker", ["joserfc", "pyjwt"])
def test_each_algorithm_is_verified_whoever_made_the_token(algorithm: str, maker: str) -> None:
    signer = Signer(algorithm)
    issuer = verifier(CORP + f'algorithms = ["{algorithm}"]\n', signer.public())
    sign = signer.sign if maker == "joserfc" else signer.sign_with_pyjwt
    assert issuer.verify(sign(claims())).subject == "corp:ada"


def test_a_caller_is_named_after_the_issuer_and_has_what_the_policy_grants() -> None:
    caller = corp().verify(Signer().sign(claims(jti="7f", scope="admin", scp="admin", roles=["admin"])))
    assert (caller.subject, caller.issuer, caller.token_id) == ("corp:ada", "corp", "corp:7f")
    assert caller.scopes == {"predict:iris"}
    assert (caller.user_id, caller.session_id) == (None, None)
    assert (caller.issued_at, caller.expires_at) == (NOW, NOW + 300)


def test_a_caller_without_a_grant_is_known_and_may_do_nothing() -> None:
    assert corp().verify(Signer().sign(claims(sub="eve"))).scopes == frozenset()


def test_nobody_can_be_taken_for_one_of_our_users() -> None:
    assert corp().verify(Signer().sign(claims(sub="slipway:ada"))).subject == "corp:slipway:ada"


def test_a_token_without_a_name_of_its_own_is_named_by_its_digest() -> None:
    one, two = (corp().verify(Signer().sign(claims(jti=None, sub=sub))).token_id for sub in ("ada", "bob"))
    assert one.startswith("corp:")
    assert one != two
    long = corp().verify(Signer().sign(claims(jti="x" * 200))).token_id
    assert len(long) < 50


GOOD: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "as made": ("", {}, {}),
    "several audiences": ("", {"aud": ["other", "slipway"]}, {}),
    "the type in full": ("", {}, {"typ": "application/AT+JWT"}),
    "headers that nobody here reads": ("", {}, {"x5t": "abc", "pi.atm": "1"}),
    "clock ahead by the leeway": ("", {"iat": NOW + 4, "nbf": NOW + 4}, {}),
    "expired within the leeway": ("", {"iat": NOW - 300, "exp": NOW - 4}, {}),
    "times with fractions": ("", {"iat": NOW - 0.5, "exp": NOW + 100.5}, {}),
    "no kid, and one key": ("", {}, {"kid": None}),
    "a plain type with a scope": (PLAIN, {}, {"typ": "JWT"}),
    "no type with a client": (PLAIN, {"scope": None}, {"typ": None}),
    "what the policy requires": (
        PLAIN + 'require = { typ = "Bearer" }\n',
        {"typ": "Bearer", "scope": None, "client_id": None},
        {"typ": "JWT"},
    ),
    "of Cognito": (PLAIN, {"token_use": "access", "scope": None, "client_id": None}, {"typ": "JWT"}),
    "a program's at Entra": (
        PLAIN + 'require = { roles = "ml" }\n',
        {"azp": "shop", "azpacr": "1", "roles": ["ml"], "scope": None, "client_id": None},
        {"typ": "JWT"},
    ),
    "an ID token where there is nothing else": (
        "id_tokens = true\n",
        {"nonce": "n", "at_hash": "h", "scope": None, "client_id": None},
        {"typ": "JWT"},
    ),
    "a subject of the world": ("", {"sub": "Åda Łovelace"}, {}),
}


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_good_token_passes(name: str) -> None:
    more, changes, header = GOOD[name]
    assert corp(more).verify(Signer().sign(claims(**changes), header)).issuer == "corp"


BAD: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "another issuer": ("", {"iss": ISS + "/"}, {}),
    "ourselves": ("", {"iss": "slipway"}, {}),
    "another audience": ("", {"aud": "other"}, {}),
    "an audience that begins like ours": ("", {"aud": "slipway-dev"}, {}),
    "an audience in other letters": ("", {"aud": ["Slipway"]}, {}),
    "no audience": ("", {"aud": None}, {}),
    "an audience of another kind": ("", {"aud": {"slipway": 1}}, {}),
    "no end": ("", {"exp": None}, {}),
    "an end in words": ("", {"exp": "2099-01-01"}, {}),
    "no beginning": ("", {"iat": None}, {}),
    "issued in the future": ("", {"iat": NOW + 60}, {}),
    "not yet": ("", {"nbf": NOW + 60}, {}),
    "a life too long": ("", {"exp": NOW + 3700}, {}),
    "a life too long for the policy": ("max_ttl_seconds = 60\n", {}, {}),
    "an end before its beginning": ("", {"exp": NOW - 1, "iat": NOW}, {}),
    "no subject": ("", {"sub": None}, {}),
    "an empty subject": ("", {"sub": ""}, {}),
    "a number as subject": ("", {"sub": 7}, {}),
    "a subject with a line break": ("", {"sub": "ada\nroot"}, {}),
    "a subject with a blank at its end": ("", {"sub": "ada "}, {}),
    "a subject that turns around": ("", {"sub": "ada\u202e"}, {}),
    "a subject too long": ("", {"sub": "a" * 256}, {}),
    "a plain type": ("", {}, {"typ": "JWT"}),
    "no type": ("", {}, {"typ": None}),
    "a logout token": (PLAIN, {}, {"typ": "logout+jwt"}),
    "a logout token of old": (PLAIN, {"events": {"x": {}}}, {"typ": "JWT"}),
    "an ID token": (PLAIN, {"nonce": "n"}, {"typ": "JWT"}),
    "an ID token of a code flow": (PLAIN, {"at_hash": "h"}, {"typ": "JWT"}),
    "an ID token without marks": (PLAIN, {"scope": None, "client_id": None, "azp": "shop"}, {"typ": "JWT"}),
    "an ID token of Keycloak": (PLAIN, {"typ": "ID"}, {"typ": "JWT"}),
    "a refresh token of Keycloak": (PLAIN, {"typ": "Refresh"}, {"typ": "JWT"}),
    "a refresh token where ID tokens pass": ("id_tokens = true\n", {"typ": "Refresh"}, {"typ": "JWT"}),
    "an ID token of Cognito": (PLAIN, {"token_use": "id"}, {"typ": "JWT"}),
    "without what the policy requires": (PLAIN + 'require = { typ = "Bearer" }\n', {}, {"typ": "JWT"}),
    "an access token without what the policy requires": ('require = { tenant = "x" }\n', {}, {}),
    "an ID token with what the policy requires": (
        PLAIN + 'require = { roles = "ml" }\n',
        {"roles": ["ml"], "scope": None, "client_id": None, "azp": "shop", "ver": "2.0"},
        {"typ": "JWT"},
    ),
    "another algorithm of the same key": ("", {}, {"alg": "PS256"}),
    "keys elsewhere": ("", {}, {"jku": "https://evil.example/jwks"}),
    "certificates elsewhere": ("", {}, {"x5u": "https://evil.example/x5c"}),
    "a key of its own": ("", {}, {"jwk": Signer("RS256", "evil").public()}),
    "a certificate of its own": ("", {}, {"x5c": ["MII"]}),
    "a token in a token": ("", {}, {"cty": "JWT"}),
    "another compression": ("", {}, {"zip": "DEF"}),
}


@pytest.mark.parametrize("name", sorted(BAD))
def test_a_bad_token_is_refused(name: str) -> None:
    more, changes, header = BAD[name]
    signer = Signer("PS256") if header.get("alg") == "PS256" else Signer()
    assert not refuses(corp(more), signer.sign(claims(**changes), header)).key_missing


def test_a_token_that_was_good_once_has_expired() -> None:
    with pytest.raises(TokenExpired) as refused:
        corp().verify(Signer().sign(claims(iat=NOW - 300, exp=NOW - 6)))
    assert refused.value.issuer == "corp"


def test_whether_a_token_has_expired_is_told_only_of_real_ones() -> None:
    token = Signer().sign(claims(iat=NOW - 300, exp=NOW - 6))
    head, body, signature = token.split(".")
    assert not isinstance(refuses(corp(), f"{head}.{body}.{signature[::-1]}"), TokenExpired)


def test_a_member_that_is_there_twice_is_refused() -> None:
    head, body, signature = Signer().sign(claims()).split(".")
    twice = b'{"sub":"root",' + base64.urlsafe_b64decode(body + "==")[1:]
    forged = base64.urlsafe_b64encode(twice).decode().rstrip("=")
    refuses(corp(), f"{head}.{forged}.{signature}")


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity"])
def test_a_number_that_is_none_is_refused_wherever_it_is(number: bytes) -> None:
    body = json.dumps(claims()).encode()
    refuses(corp(), Signer().sign_raw(body[:-1] + b',"x":' + number + b"}", {}))


def test_a_huge_token_is_refused_unread() -> None:
    refuses(corp(), Signer().sign(claims(groups=["x" * 100] * 100)))


def test_a_token_has_one_spelling() -> None:
    token = Signer().sign(claims())
    for spelling in (token + "=", token + "==", token + ".", "." + token, token + "\n", token[:-1] + "+"):
        refuses(corp(), spelling)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
MEMBERS = (
    "iss",
    "aud",
    "sub",
    "iat",
    "exp",
    "nbf",
    "jti",
    "scope",
    "kubernetes.io",
    "typ",
    "token_use",
    "realm",
)


@settings(max_examples=200, deadline=None)
@given(
    body=st.dictionaries(st.sampled_from(MEMBERS), JSON_VALUES, max_size=4),
    header=st.dictionaries(st.sampled_from(("typ", "cty", "x")), JSON_VALUES, max_size=2),
)
def test_whatever_a_provider_signs_is_a_caller_or_a_refusal(
    body: dict[str, Any], header: dict[str, Any]
) -> None:
    require = 'require = { realm = { roles = "ml" } }\n' if "realm" in body else ""
    token = Signer().sign_raw(json.dumps({**claims(), **body}).encode(), header)
    for issuer in (corp(PLAIN + require), verifier(CLUSTER, Signer().public())):
        with suppress(Unauthenticated):
            assert issuer.verify(token).issuer == issuer.name


@given(st.text(max_size=60) | st.from_regex(r"[A-Za-z0-9_-]{0,20}\.[A-Za-z0-9_-]{0,20}\.[A-Za-z0-9_-]{0,20}"))
def test_whatever_is_no_token_is_refused(text: str) -> None:
    refuses(corp(), text)
