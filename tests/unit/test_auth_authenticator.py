"""The authenticator: verified once, remembered until it ends, forgotten when it must be."""

from __future__ import annotations

import pytest

from auth.authenticator import Authenticator
from auth.challenges import expired_token
from auth.principal import Principal
from modelkit.errors import TokenExpired, Unauthenticated
from tests.fakes.clock import FakeClock
from tests.fakes.identity import FixedIssuer

LIFE_SECONDS = 900.0


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def issuer(clock: FakeClock) -> FixedIssuer:
    known = FixedIssuer()
    for name in ("ada", "bob", "eve"):
        known.known[name] = principal(name, clock)
    return known


@pytest.fixture
def authenticator(issuer: FixedIssuer, clock: FakeClock) -> Authenticator:
    return Authenticator([issuer], clock=clock, cache_size=2)


def principal(name: str, clock: FakeClock) -> Principal:
    return Principal(
        subject=name,
        issuer="fixed",
        scopes=frozenset({"predict"}),
        expires_at=clock() + LIFE_SECONDS,
        user_id=None,
        token_id=f"id-of-{name}",
    )


def test_a_token_is_verified_once(authenticator: Authenticator, issuer: FixedIssuer) -> None:
    first = authenticator.authenticate(b"Bearer ada")
    second = authenticator.authenticate(bytes(bytearray(b"Bearer ada")))
    assert first is second
    assert issuer.asked == ["ada"]


def test_a_remembered_token_is_never_used_past_its_end(
    authenticator: Authenticator, issuer: FixedIssuer, clock: FakeClock
) -> None:
    authenticator.authenticate(b"Bearer ada")
    issuer.known["ada"] = expired_token()
    clock.advance(LIFE_SECONDS - 0.001)
    assert authenticator.authenticate(b"Bearer ada").subject == "ada"
    clock.advance(0.001)
    with pytest.raises(TokenExpired):
        authenticator.authenticate(b"Bearer ada")
    assert issuer.asked == ["ada", "ada"]


def test_the_oldest_token_makes_room(authenticator: Authenticator, issuer: FixedIssuer) -> None:
    for name in (b"ada", b"bob", b"eve", b"bob", b"eve", b"ada"):
        authenticator.authenticate(b"Bearer " + name)
    assert issuer.asked == ["ada", "bob", "eve", "ada"]


def test_without_a_cache_every_token_is_verified(issuer: FixedIssuer, clock: FakeClock) -> None:
    authenticator = Authenticator([issuer], clock=clock, cache_size=0)
    for _ in range(2):
        authenticator.authenticate(b"Bearer ada")
    assert issuer.asked == ["ada", "ada"]


def test_a_refused_token_is_not_remembered(authenticator: Authenticator, issuer: FixedIssuer) -> None:
    for _ in range(2):
        with pytest.raises(Unauthenticated):
            authenticator.authenticate(b"Bearer nobody")
    assert issuer.asked == ["nobody", "nobody"]


def test_other_keys_make_every_token_be_verified_again(
    authenticator: Authenticator, issuer: FixedIssuer, clock: FakeClock
) -> None:
    authenticator.authenticate(b"Bearer ada")
    issuer.key_generation += 1
    clock.advance(1.0)
    authenticator.authenticate(b"Bearer ada")
    assert issuer.asked == ["ada", "ada"]


def test_other_keys_are_noticed_after_the_clock_was_set_back(
    authenticator: Authenticator, issuer: FixedIssuer, clock: FakeClock
) -> None:
    authenticator.authenticate(b"Bearer ada")
    issuer.key_generation += 1
    clock.advance(-3600)
    authenticator.authenticate(b"Bearer ada")
    assert issuer.asked == ["ada", "ada"]


@pytest.mark.parametrize("scheme", [b"Bearer", b"bearer", b"BEARER", b"bEaReR"])
def test_the_scheme_may_be_written_in_any_case(authenticator: Authenticator, scheme: bytes) -> None:
    assert authenticator.authenticate(scheme + b" ada").subject == "ada"


@pytest.mark.parametrize(
    "header", [None, b"", b"Basic YWRhOng=", b"ada", b"Bearer:ada", b"DPoP ada", b"\xff\xfe"]
)
def test_no_bearer_token_at_all_asks_for_one(authenticator: Authenticator, header: bytes | None) -> None:
    with pytest.raises(Unauthenticated) as refused:
        authenticator.authenticate(header)
    assert dict(refused.value.headers) == {"WWW-Authenticate": 'Bearer realm="slipway"'}


@pytest.mark.parametrize(
    "header", [b"Bearer", b"Bearer ", b"Bearer  ada", b"Bearer ada ", b"Bearer \xc3\xa9", b"Bearer ada,ada"]
)
def test_a_malformed_token_is_called_invalid_or_missing(authenticator: Authenticator, header: bytes) -> None:
    with pytest.raises(Unauthenticated) as refused:
        authenticator.authenticate(header)
    assert 'error="invalid_token"' in dict(refused.value.headers)["WWW-Authenticate"]


def test_an_oversized_token_reaches_no_issuer(authenticator: Authenticator, issuer: FixedIssuer) -> None:
    with pytest.raises(Unauthenticated):
        authenticator.authenticate(b"Bearer " + b"a" * 8193)
    assert issuer.asked == []


def test_issuers_are_asked_in_order_until_one_knows_the_token(clock: FakeClock, issuer: FixedIssuer) -> None:
    other = FixedIssuer("other")
    authenticator = Authenticator([other, issuer], clock=clock)
    assert authenticator.authenticate(b"Bearer ada").subject == "ada"
    assert (other.asked, issuer.asked) == (["ada"], ["ada"])


def test_a_token_that_has_expired_at_its_issuer_is_offered_to_no_other(
    clock: FakeClock, issuer: FixedIssuer
) -> None:
    first = FixedIssuer("first")
    first.known["ada"] = expired_token()
    with pytest.raises(TokenExpired):
        Authenticator([first, issuer], clock=clock).authenticate(b"Bearer ada")
    assert issuer.asked == []
