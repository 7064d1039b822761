"""Tokens of the cluster's own ServiceAccounts, with the claims that kube-apiserver gives them."""

from __future__ import annotations

from typing import Any

import pytest

from auth.external_tokens import ExternalVerifier
from modelkit.errors import TokenExpired
from tests.external_issuer import CLUSTER, CLUSTER_ISS, NOW, refuses, verifier
from tests.fakes.provider_keys import Signer, service_account_claims


def cluster() -> ExternalVerifier:
    granted = (
        '[[grants]]\nissuer = "cluster"\nsubject = "system:serviceaccount:shop:*"\n'
        'scopes = ["predict:order-delivery"]\n'
    )
    return verifier(CLUSTER + granted, Signer().public())


def token(header: dict[str, Any] | None = None, **changes: Any) -> str:
    return Signer().sign(
        service_account_claims(CLUSTER_ISS, now=NOW, **changes), {"typ": None, **(header or {})}
    )


def test_a_pod_calls_with_the_token_of_its_service_account() -> None:
    caller = cluster().verify(token())
    assert caller.subject == "cluster:system:serviceaccount:shop:web"
    assert caller.scopes == {"predict:order-delivery"}
    assert caller.expires_at == NOW + 3600


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ["https://kubernetes.default.svc"]},
        {"kubernetes.io": None},
        {"kubernetes.io": {"namespace": "other", "serviceaccount": {"name": "web"}}},
        {"kubernetes.io": {"namespace": "shop", "serviceaccount": {"name": "api"}}},
        {"kubernetes.io": {"namespace": "shop"}},
        {"kubernetes.io": "shop"},
        {"sub": "system:serviceaccount:shop:root"},
        {"exp": None},
        {"exp": NOW + 86_400},
    ],
    ids=str,
)
def test_what_a_cluster_does_not_make_for_us_is_refused(changes: dict[str, Any]) -> None:
    refuses(cluster(), token(**changes))


def test_another_type_is_refused() -> None:
    refuses(cluster(), token({"typ": "at+jwt"}))


def test_a_bound_token_expires() -> None:
    with pytest.raises(TokenExpired):
        cluster().verify(token(iat=NOW - 3600, nbf=NOW - 3600, exp=NOW - 6))
