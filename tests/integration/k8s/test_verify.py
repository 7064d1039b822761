"""`make verify`: a merge is done when every pod is of the digest that Git says, whatever runs them, and the service answers."""

from __future__ import annotations

import base64
import os
import subprocess
from pathlib import Path

import pytest

from deploy.promotion.overlay import Overlay
from k8s.dev_secret import JWT_KEY, SERVICE
from tests.architecture.source_tree import ROOT
from tests.fakes.api_server import operators, shapes, surroundings
from tests.fakes.api_server.server import FakeApiServer
from tests.fakes.http_service import HttpService, Said
from tests.front_service import KEY

Json = shapes.Json
OVERLAY = "staging"
IMAGE = Overlay(ROOT, OVERLAY).image().reference


def verify(api: FakeApiServer, folder: Path, **given: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "KUBECONFIG": str(api.kubeconfig(folder)),
        "OVERLAY": OVERLAY,
        "VERIFY_SECONDS": "1",
        "ARGS": "--timeout 0 --model iris",
        **given,
    }
    command = ["make", "--no-print-directory", "--old-file", "setup", "verify"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)


RUNNING = {
    "rollout": (operators.rollout("Healthy"), operators.template_of_rollout(image=IMAGE)),
    "inferenceservice": (
        operators.inference_service("True", image=IMAGE),
        operators.kept_deployment(image=IMAGE),
    ),
}


@pytest.mark.parametrize("kind", RUNNING)
def test_it_follows_whatever_runs_the_pods_and_asks_one(
    api: FakeApiServer, tmp_path: Path, kind: str
) -> None:
    secret = surroundings.secret(SERVICE)
    secret["data"][JWT_KEY] = base64.b64encode(KEY.encode()).decode()
    api.add(*RUNNING[kind], shapes.pod("slipway-1", labels={operators.INFERENCE_LABEL: shapes.NAME}), secret)
    with HttpService(lambda asked: Said(200 if asked.path == "/readyz" else 503)) as service:
        api.backends["slipway-1", 8000] = service.address
        done = verify(api, tmp_path)
    assert f"rollout {kind}/slipway in slipway-staging" in done.stdout
    assert "done after" in done.stdout
    assert done.returncode == 2  # this one answers no prediction
    assert "smoke slipway-1:8000" in done.stdout
    assert any(asked.headers.get("authorization", "").startswith("Bearer ey") for asked in service.asked)


def test_another_image_is_waited_for_and_nothing_is_asked(api: FakeApiServer, tmp_path: Path) -> None:
    api.add(shapes.deployment(), shapes.pod("slipway-1"))
    with HttpService(lambda asked: Said(200)) as service:
        api.backends["slipway-1", 8000] = service.address
        done = verify(api, tmp_path)
    assert done.returncode == 2
    assert f"waiting for {IMAGE}" in done.stdout
    assert not service.asked


def test_a_workload_may_be_named_and_a_token_given(api: FakeApiServer, tmp_path: Path) -> None:
    """Then the Secret is not read."""
    api.add(shapes.deployment(image=IMAGE), shapes.pod("slipway-1"))
    with HttpService(lambda asked: Said(200 if asked.path == "/readyz" else 503)) as service:
        api.backends["slipway-1", 8000] = service.address
        verify(api, tmp_path, WORKLOAD="deployment/slipway", SLIPWAY_TOKEN="given.to.us")
    assert "Bearer given.to.us" in {asked.headers.get("authorization") for asked in service.asked}
    assert not any("/secrets/" in path for _, path in api.requests)
