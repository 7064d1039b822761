"""A verifier of one other issuer, its policy and its keys, and claims of good tokens: what tests of such tokens share."""

from __future__ import annotations

import json
from typing import Any

import pytest

from auth.external_tokens import ExternalVerifier, KeyRing
from auth.jwk_sets import parse_jwk_set
from auth.policy import parse_policy
from modelkit.errors import Unauthenticated
from tests.fakes.clock import FakeClock
from tests.fakes.provider_keys import Signer, access_claims

NOW = 1_800_000_000.0
ISS = "https://id.example.com"
CLUSTER_ISS = "https://kubernetes.default.svc.cluster.local"
CORP = f'[[issuers]]\nname = "corp"\nissuer = "{ISS}"\njwks_url = "{ISS}/jwks"\n'
CLUSTER = f'[[issuers]]\nname = "cluster"\nkind = "kubernetes"\nissuer = "{CLUSTER_ISS}"\n'
GRANTS = '[[grants]]\nissuer = "corp"\nsubject = "ada"\nscopes = ["predict:iris"]\n'
PLAIN = 'types = ["at+jwt", "JWT", "none"]\n'


def verifier(text: str, *keys: dict[str, Any], now: float = NOW) -> ExternalVerifier:
    policy = parse_policy(text.encode(), audience="slipway", own_issuer="slipway")
    ring = KeyRing()
    ring.replace(parse_jwk_set(json.dumps({"keys": list(keys)}).encode()))
    return ExternalVerifier(policy.issuers[0], ring, policy=policy, clock=FakeClock(now), leeway_seconds=5.0)


def corp(more: str = "", *, grants: str = GRANTS) -> ExternalVerifier:
    return verifier(CORP + more + grants, Signer().public())


def claims(**changes: Any) -> dict[str, Any]:
    return access_claims(ISS, now=NOW, **changes)


def refuses(issuer: ExternalVerifier, token: str) -> Unauthenticated:
    with pytest.raises(Unauthenticated) as refused:
        issuer.verify(token)
    assert refused.value.issuer == issuer.name
    return refused.value
