"""The image and the manifests agree on the places that are written to, on the user, and on who is asked to run."""

from __future__ import annotations

import re

import pytest

from deploy.manifests.kustomize import ROOT
from tests.manifests.policy.model import answers
from tests.manifests.policy.rulebook import rendered
from tests.manifests.policy.storage import WRITABLE, WRITTEN
from tests.manifests.rendering import overlays

DOCKERFILE = (ROOT / "deploy" / "image" / "Dockerfile.j2").read_text(encoding="utf-8")
SET = dict(re.findall(r"\b([A-Z_]+)=([^\s\\]+)", DOCKERFILE))


@pytest.mark.parametrize("name", WRITTEN)
def test_the_image_writes_where_the_manifests_mount(name: str) -> None:
    assert SET[name] == WRITTEN[name]


@pytest.mark.parametrize("name", overlays())
def test_the_service_mounts_every_place_that_is_written_to(name: str) -> None:
    for pod in rendered(name).service_pods:
        for container in (each for each in pod.containers if answers(each)):
            mounted = {mount["mountPath"] for mount in container["volumeMounts"] if not mount.get("readOnly")}
            assert mounted == WRITABLE


@pytest.mark.parametrize("name", overlays())
def test_pods_run_as_the_image_s_user(name: str) -> None:
    (user,) = {
        re.sub(r"\D", " ", found).split()[0] for found in re.findall(r"^USER (\d+)", DOCKERFILE, re.MULTILINE)
    }
    assert {pod.spec["securityContext"]["runAsUser"] for pod in rendered(name).service_pods} == {int(user)}
