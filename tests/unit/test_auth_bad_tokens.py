"""Only a valid token passes: the corpus of bad ones is refused, and its control group of good ones is accepted."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.authenticator import Authenticator
from auth.gate import Gate
from auth.keys import SecretKeys
from auth.tokens import JwtVerifier, TokenIssuer
from modelkit.errors import TokenExpired, Unauthenticated
from tests.fakes.bad_tokens import BAD_TOKENS, GOOD, TIMES
from tests.fakes.clock import FakeClock
from tests.fakes.forged_tokens import AUDIENCE, ISSUER, NOW, SECRET, forge, sealed

GOOD_TOKENS = {
    "as made": GOOD,
    "typ with its media type": forge(header={"typ": "application/at+jwt"}),
    "typ in capitals": forge(header={"typ": "AT+JWT"}),
    "without nbf": forge(without="nbf"),
    "without scope": forge(without="scope"),
    "without uid": forge(without="uid"),
    "uid null": forge(claims={"uid": None}),
    "times with fractions": forge(claims={"iat": NOW - 0.5, "exp": NOW + 900.5}),
    "clock ahead by the leeway": forge(claims={"iat": NOW + 4, "nbf": NOW + 4}),
    "expired within the leeway": forge(claims={"exp": NOW - 4}),
    "claims that nobody here reads": forge(claims={"email": "ada@example.org", "groups": ["a"]}),
    "subject with letters of the world": forge(claims={"sub": "Åda Łovelace"}),
    "scope with several blanks": forge(claims={"scope": "predict  read "}),
}


def verifier() -> JwtVerifier:
    keys = SecretKeys(SECRET, setting="JWT_SECRET_KEY")
    return JwtVerifier(keys, issuer=ISSUER, audience=AUDIENCE, clock=FakeClock(NOW))


def gate() -> Gate:
    return Gate(Authenticator([verifier()], clock=FakeClock(NOW)), open_paths=frozenset())


def test_the_corpus_is_as_large_as_promised() -> None:
    assert len(BAD_TOKENS) >= 60
    assert len(GOOD_TOKENS) >= 10


@pytest.mark.parametrize("token", GOOD_TOKENS.values(), ids=GOOD_TOKENS.keys())
def test_a_good_token_is_accepted(token: str) -> None:
    principal = verifier().verify(token)
    assert principal.issuer == ISSUER
    assert principal.token_id == "0f1e2d3c4b5a"


@pytest.mark.parametrize("token", BAD_TOKENS.values(), ids=BAD_TOKENS.keys())
def test_a_bad_token_is_refused(token: str) -> None:
    with pytest.raises(Unauthenticated) as refused:
        verifier().verify(token)
    assert refused.value.status == 401


@pytest.mark.parametrize("token", BAD_TOKENS.values(), ids=BAD_TOKENS.keys())
def test_the_gate_refuses_it_too_and_says_only_what_every_refusal_says(token: str) -> None:
    with pytest.raises(Unauthenticated) as refused:
        gate().admit(
            "/predict/iris", [(b"authorization", b"Bearer " + token.encode("utf-8", "surrogatepass"))]
        )
    assert refused.value.detail in {"the token is not valid", "the token has expired"}
    assert dict(refused.value.headers)["WWW-Authenticate"].startswith(
        'Bearer realm="slipway", error="invalid_token"'
    )


@pytest.mark.parametrize("name", [name for name in TIMES if name.startswith("exp")])
def test_an_expired_token_is_told_apart(name: str) -> None:
    with pytest.raises(TokenExpired):
        verifier().verify(TIMES[name])


def test_an_expired_token_with_a_bad_signature_is_not_called_expired() -> None:
    with pytest.raises(Unauthenticated) as refused:
        verifier().verify(TIMES["expired"][:-4] + "AAAA")
    assert not isinstance(refused.value, TokenExpired)


@given(st.text(max_size=300))
def test_no_text_breaks_the_verifier(token: str) -> None:
    with pytest.raises(Unauthenticated):
        verifier().verify(token)


@given(st.binary(max_size=300))
def test_no_header_breaks_the_gate(value: bytes) -> None:
    with pytest.raises(Unauthenticated):
        gate().admit("/predict/iris", [(b"authorization", value)])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(header=JSON, claims=JSON)
def test_no_signed_document_breaks_the_verifier(header: object, claims: object) -> None:
    with pytest.raises(Unauthenticated):
        verifier().verify(sealed(json.dumps(header).encode(), json.dumps(claims).encode()))


@given(position=st.integers(0, len(GOOD) - 1), letter=st.characters(codec="ascii"))
def test_no_changed_letter_passes(position: int, letter: str) -> None:
    changed = GOOD[:position] + letter + GOOD[position + 1 :]
    if changed == GOOD:
        assert verifier().verify(changed).subject == "ada"
        return
    with pytest.raises(Unauthenticated):
        verifier().verify(changed)


@given(
    subject=st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=255),
    scopes=st.frozensets(st.from_regex(r"[!#-\[\]-~]{1,20}", fullmatch=True), max_size=5),
    user_id=st.none() | st.integers(1, 2**62),
    session_id=st.none() | st.uuids().map(str),
)
def test_whatever_is_issued_is_accepted_as_it_was_issued(
    subject: str, scopes: frozenset[str], user_id: int | None, session_id: str | None
) -> None:
    keys = SecretKeys(SECRET, setting="JWT_SECRET_KEY")
    issuer = TokenIssuer(keys, issuer=ISSUER, audience=AUDIENCE, ttl_seconds=60, clock=FakeClock(NOW))
    issued = issuer.issue(
        subject=subject, scopes=scopes, user_id=user_id, token_id="the-token", session_id=session_id
    )
    principal = verifier().verify(issued.access_token)
    assert (principal.subject, principal.scopes, principal.user_id) == (subject, scopes, user_id)
    assert (principal.token_id, principal.expires_at) == ("the-token", NOW + 60)
    assert (principal.session_id, principal.issued_at) == (session_id, NOW)
