"""`kubectl apply` twice, and with other settings: a Job cannot be changed, so nothing that changes may be part of it."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.manifests.policy.model import Rendered
from tests.manifests.rendering import overlay, overlays

HOOK = "argocd.argoproj.io/hook"


def jobs(name: str) -> dict[str, dict[str, Any]]:
    """Those that are there while a release is rolled out; what runs after it is Argo CD's to delete first."""
    found = {m.identity.name: m.body for m in Rendered(name, overlay(name)).of("Job")}
    return {
        job: body for job, body in found.items() if body["metadata"]["annotations"].get(HOOK) != "PostSync"
    }


@pytest.mark.parametrize("name", overlays())
def test_a_job_names_no_configuration_that_changes_with_settings(name: str) -> None:
    for job, body in jobs(name).items():
        assert not re.search("configMap", yaml.safe_dump(body)), job


@pytest.mark.parametrize("name", overlays())
def test_a_job_is_gone_before_the_next_release(name: str) -> None:
    for job, body in jobs(name).items():
        assert 0 < body["spec"]["ttlSecondsAfterFinished"] <= 600, job
        assert body["metadata"]["annotations"][f"{HOOK}-delete-policy"] == "BeforeHookCreation", job


def test_development_needs_no_step_before() -> None:
    assert set(jobs("dev")) == {"dev-secret", "migrations"}
