"""checkov finds nothing that is not in the list of what we keep, and the list holds nothing that it does not find."""

from __future__ import annotations

import copy

import pytest

from deploy.manifests.objects import Manifest
from tests.manifests.checkov import Failure, failures, skips
from tests.manifests.rendering import overlay, overlays


def careless(manifests: tuple[Manifest, ...]) -> tuple[Manifest, ...]:
    """The service as root: the proof that checkov looks."""
    found = next(m for m in manifests if (m.identity.kind, m.identity.name) == ("Deployment", "slipway"))
    body = copy.deepcopy(found.body)
    body["spec"]["template"]["spec"]["securityContext"] = {"runAsUser": 0}
    return (Manifest(found.identity, body),)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> set[Failure]:
    rendered = {name: overlay(name) for name in overlays()}
    return failures(
        rendered | {"careless": careless(overlay("production"))}, tmp_path_factory.mktemp("checkov")
    )


def test_checkov_has_no_unjustified_failure(found: set[Failure]) -> None:
    kept = skips()
    unjustified = [one for one in found if not any(skip.covers(one) for skip in kept)]
    assert sorted(one for one in unjustified if not one.where.startswith("careless")) == []


def test_no_justification_is_left_over(found: set[Failure]) -> None:
    assert [skip for skip in skips() if not any(skip.covers(one) for one in found)] == []


def test_every_justification_has_a_reason() -> None:
    assert all(len(skip.reason) > 30 for skip in skips())


def test_checkov_looks(found: set[Failure]) -> None:
    assert Failure("CKV_K8S_40", "careless Deployment slipway") in found
