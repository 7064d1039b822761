"""Revocations in one process: what they cover, how lists and one's own meet, and what the authenticator makes of them."""

from __future__ import annotations

import threading

import pytest

from auth.authenticator import Authenticator
from auth.principal import Principal
from auth.revocations import SESSION, SUBJECT, TOKEN, Revocation, Revocations
from modelkit.errors import TokenRevoked
from tests.fakes.clock import FakeClock
from tests.fakes.identity import FixedIssuer

LIFE_SECONDS = 900.0


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def revocations(clock: FakeClock) -> Revocations:
    return Revocations(clock=clock)


@pytest.fixture
def issuer(clock: FakeClock) -> FixedIssuer:
    known = FixedIssuer()
    known.known = {name: principal(name, clock) for name in ("ada", "bob")}
    return known


@pytest.fixture
def authenticator(issuer: FixedIssuer, clock: FakeClock, revocations: Revocations) -> Authenticator:
    return Authenticator([issuer], clock=clock, revocations=revocations)


def principal(name: str, clock: FakeClock) -> Principal:
    return Principal(
        subject=name,
        issuer="fixed",
        scopes=frozenset({"predict"}),
        expires_at=clock() + LIFE_SECONDS,
        user_id=None,
        token_id=f"token-of-{name}",
        session_id=f"session-of-{name}",
        issued_at=clock(),
    )


def revoked(kind: str, value: str, clock: FakeClock) -> Revocation:
    return Revocation(kind, value, clock(), clock() + LIFE_SECONDS)


OF_ADA = [(TOKEN, "token-of-ada"), (SESSION, "session-of-ada"), (SUBJECT, "ada")]


@pytest.mark.parametrize(("kind", "value"), OF_ADA, ids=[TOKEN, SESSION, SUBJECT])
@pytest.mark.parametrize("remembered", [True, False], ids=["remembered", "new"])
def test_a_revoked_token_is_refused_and_others_are_not(
    authenticator: Authenticator,
    revocations: Revocations,
    clock: FakeClock,
    kind: str,
    value: str,
    remembered: bool,
) -> None:
    if remembered:
        authenticator.authenticate(b"Bearer ada")
        authenticator.authenticate(b"Bearer bob")
    revocations.add(revoked(kind, value, clock))
    with pytest.raises(TokenRevoked) as refused:
        authenticator.authenticate(b"Bearer ada")
    assert (refused.value.status, refused.value.code) == (401, "token-revoked")
    assert 'error="invalid_token"' in dict(refused.value.headers)["WWW-Authenticate"]
    assert authenticator.authenticate(b"Bearer bob").subject == "bob"


def test_only_what_is_revoked_must_be_verified_again(
    authenticator: Authenticator, issuer: FixedIssuer, revocations: Revocations, clock: FakeClock
) -> None:
    authenticator.authenticate(b"Bearer bob")
    revocations.replace([revoked(SUBJECT, "ada", clock)])
    authenticator.authenticate(b"Bearer bob")
    assert issuer.asked == ["bob"]


def test_a_token_issued_after_its_subject_was_revoked_is_good(
    authenticator: Authenticator, issuer: FixedIssuer, revocations: Revocations, clock: FakeClock
) -> None:
    revocations.add(revoked(SUBJECT, "ada", clock))
    clock.advance(1)
    issuer.known["newer"] = principal("ada", clock)
    assert authenticator.authenticate(b"Bearer newer").subject == "ada"


def test_the_latest_of_several_revocations_of_a_subject_counts(
    revocations: Revocations, clock: FakeClock
) -> None:
    early = revoked(SUBJECT, "ada", clock)
    clock.advance(10)
    token = principal("ada", clock)
    revocations.replace([revoked(SUBJECT, "ada", clock), early])
    assert revocations.covers(token)
    revocations.replace([early, revoked(SUBJECT, "ada", clock)])
    assert revocations.covers(token)


def test_a_list_that_does_not_know_it_yet_ends_no_revocation_of_our_own(
    revocations: Revocations, clock: FakeClock
) -> None:
    token = principal("ada", clock)
    revocations.add(revoked(TOKEN, token.token_id, clock))
    revocations.replace([])
    assert revocations.covers(token)
    clock.advance(LIFE_SECONDS)
    revocations.replace([])
    assert revocations.count == 0


def test_what_leaves_the_list_is_forgotten(revocations: Revocations, clock: FakeClock) -> None:
    one = revoked(TOKEN, "token-of-ada", clock)
    revocations.add(one)
    revocations.replace([one])
    assert revocations.count == 1
    revocations.replace([])
    assert revocations.count == 0


def test_what_another_thread_reports_holds_once_it_is_settled(
    authenticator: Authenticator, revocations: Revocations, clock: FakeClock
) -> None:
    authenticator.authenticate(b"Bearer ada")
    thread = threading.Thread(target=revocations.report, args=(revoked(SUBJECT, "ada", clock),))
    thread.start()
    thread.join()
    revocations.settle()
    with pytest.raises(TokenRevoked):
        authenticator.authenticate(b"Bearer ada")


def test_a_kind_of_a_later_release_harms_nobody(revocations: Revocations, clock: FakeClock) -> None:
    revocations.replace([revoked("device", "ada", clock)])
    assert not revocations.covers(principal("ada", clock))
