"""Which key of another issuer a token can mean: its `kid` is a name among those known, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from auth.external_tokens import ExternalVerifier, KeyRing
from auth.policy import parse_policy
from tests.external_issuer import CORP, NOW, claims, corp, refuses, verifier
from tests.fakes.clock import FakeClock
from tests.fakes.provider_keys import Signer


def test_an_unknown_key_may_become_known() -> None:
    assert refuses(corp(), Signer("RS256", "second").sign(claims())).key_missing


def test_before_the_first_set_every_key_may_become_known() -> None:
    policy = parse_policy(CORP.encode(), audience="slipway", own_issuer="slipway")
    issuer = ExternalVerifier(
        policy.issuers[0], KeyRing(), policy=policy, clock=FakeClock(NOW), leeway_seconds=5.0
    )
    assert refuses(issuer, Signer().sign(claims())).key_missing


@pytest.mark.parametrize(
    "changes",
    [{"aud": "other"}, {"exp": NOW - 60, "iat": NOW - 90}, {"sub": None}],
    ids=["aud", "exp", "sub"],
)
def test_no_key_is_asked_for_on_behalf_of_a_token_that_cannot_pass(changes: dict[str, Any]) -> None:
    assert not refuses(corp(), Signer("RS256", "second").sign(claims(**changes))).key_missing


@pytest.mark.parametrize("kid", ["../../etc/passwd", "https://evil.example/k", "' OR 1=1 --", "", "x" * 513])
def test_a_kid_is_nothing_but_a_name(kid: str) -> None:
    refuses(corp(), Signer().sign(claims(), {"kid": kid}))


def test_the_right_kid_with_another_key_is_refused() -> None:
    assert not refuses(corp(), Signer("RS256", "evil", kid=Signer().kid).sign(claims())).key_missing


def test_a_token_without_a_kid_fits_only_where_there_is_no_choice() -> None:
    issuer = verifier(CORP, Signer().public(), Signer("RS256", "second").public())
    assert not refuses(issuer, Signer().sign(claims(), {"kid": None})).key_missing
    other_kind = verifier(CORP, Signer().public(), Signer("ES256").public())
    assert other_kind.verify(Signer().sign(claims(), {"kid": None})).subject == "corp:ada"


@pytest.mark.parametrize(
    "members",
    [
        {"use": "enc"},
        {"alg": "RS384"},
        {"alg": "HS256"},
        {"alg": 7},
        {"key_ops": ["encrypt"]},
        {"kty": "oct"},
    ],
    ids=str,
)
def test_a_key_for_something_else_is_none(members: dict[str, Any]) -> None:
    refuses(verifier(CORP, Signer().public(**members)), Signer().sign(claims()))


def test_a_key_without_use_or_algorithm_verifies_what_its_kind_can() -> None:
    issuer = verifier(CORP, Signer().public(use=None, alg=None))
    assert issuer.verify(Signer().sign(claims())).subject == "corp:ada"


def test_a_private_key_that_its_provider_shows_to_everybody_is_none() -> None:
    shown = {**Signer().key.as_dict(private=True), "kid": Signer().kid}
    refuses(verifier(CORP, shown), Signer().sign(claims()))


def test_a_key_that_is_left_out_of_the_algorithms_is_none() -> None:
    issuer = verifier(CORP + 'algorithms = ["ES256"]\n', Signer().public())
    assert not refuses(issuer, Signer().sign(claims())).key_missing
