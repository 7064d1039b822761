"""Whatever a token issuer of ours makes, a verifier with the same keys accepts as it was made; tests/attacks tries the rest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt as other_jwt
from joserfc.jwk import OctKey
from joserfc.jwt import JWTClaimsRegistry

from auth.authenticator import Authenticator
from auth.gate import Gate
from auth.keys import SecretKeys
from auth.tokens import JwtVerifier, TokenIssuer
from modelkit.errors import Unauthenticated
from tests.attacks.corpus.minting import NOW
from tests.attacks.corpus.mints import AUDIENCE, ISSUER, SECRET
from tests.fakes.clock import FakeClock


def verifier() -> JwtVerifier:
    keys = SecretKeys(SECRET, setting="JWT_SECRET_KEY")
    return JwtVerifier(keys, issuer=ISSUER, audience=AUDIENCE, clock=FakeClock(NOW))


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


@pytest.mark.parametrize("fraction", [0.0, 0.000_001, 0.25, 0.999_999])
def test_the_moment_of_issue_is_known_to_the_microsecond(fraction: float) -> None:
    principal = verifier().verify(issued_at(NOW + fraction))
    assert principal.issued_at == pytest.approx(NOW + fraction, abs=5e-7)
    assert principal.expires_at == NOW + 60


def test_a_token_is_good_at_once_for_libraries_that_count_whole_seconds() -> None:
    token = issued_at(NOW + 0.999)
    claims = other_jwt.decode(token, OctKey.import_key(SECRET), algorithms=["HS256"]).claims
    JWTClaimsRegistry(now=NOW, leeway=0).validate(claims)
    assert [claims[name] for name in ("iat", "nbf", "exp")] == [NOW, NOW, NOW + 60]
    assert all(type(claims[name]) is int for name in ("iat", "nbf", "exp"))


def issued_at(moment: float) -> str:
    keys = SecretKeys(SECRET, setting="JWT_SECRET_KEY")
    clock = FakeClock(moment)
    issuer = TokenIssuer(keys, issuer=ISSUER, audience=AUDIENCE, ttl_seconds=60, clock=clock)
    return issuer.issue(subject="ada", scopes=frozenset()).access_token


@given(value=st.binary(max_size=300))
def test_no_header_breaks_the_gate(value: bytes) -> None:
    gate = Gate(Authenticator([verifier()], clock=FakeClock(NOW)), open_paths=frozenset())
    with pytest.raises(Unauthenticated):
        gate.admit("/predict/iris", [(b"authorization", value)])
