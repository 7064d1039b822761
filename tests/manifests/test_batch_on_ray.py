"""The Ray cluster that is an Indexed Job: valid, hardened, and each pod does what its index says."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from deploy.manifests.kustomize import ROOT
from deploy.manifests.objects import Manifest
from tests.manifests.pod_security import violations
from tests.manifests.pods import pods
from tests.manifests.rendering import on_base_objects
from tests.manifests.schema_check import errors, minors

PROGRAM = ROOT / "kustomize" / "components" / "batch-ray" / "ray" / "ray-batch.sh"
FAKE = """#!/bin/sh
echo "$(basename "$0") $*" >>calls
[ "$1" != health-check ] || { [ -e answered ] && exit 0; touch answered; exit 1; }
"""
INPUT, OUTPUT = "s3://orders/today.parquet", "s3://orders/answers.parquet"


def rendered() -> tuple[Manifest, ...]:
    return on_base_objects("batch-ray", "batch-ray/ray")


def job() -> dict[str, Any]:
    (found,) = (manifest for manifest in rendered() if manifest.identity.kind == "CronJob")
    return dict(found.body["spec"]["jobTemplate"]["spec"])


@pytest.fixture
def calls(tmp_path: Path, request: pytest.FixtureRequest) -> list[str]:
    """What the pod of an index runs; the head answers the second time it is asked."""
    for name in ("ray", "python", "sleep"):
        (tmp_path / name).write_text(FAKE)
        (tmp_path / name).chmod(0o755)
    environment = {
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "JOB_NAME": "batch-29",
        "JOB_COMPLETION_INDEX": str(request.param),
        "RAY_CPUS": "2",
        "BATCH_MODEL": "iris",
        "BATCH_INPUT": INPUT,
        "BATCH_OUTPUT": OUTPUT,
    }
    command = [str(shutil.which("sh")), str(PROGRAM)]
    subprocess.run(command, cwd=tmp_path, env=environment, timeout=30, check=True)
    return (tmp_path / "calls").read_text().splitlines()


@pytest.mark.parametrize("calls", [0], indirect=True)
def test_the_first_pod_is_the_head_and_runs_the_batch(calls: list[str]) -> None:
    assert calls[0].startswith("ray start --head --port 6379 --num-cpus 2")
    assert calls[1:] == [f"python -m training batch iris {INPUT} {OUTPUT} --engine ray"]


@pytest.mark.parametrize("calls", [2], indirect=True)
def test_any_other_pod_waits_for_the_head_and_joins_it(calls: list[str]) -> None:
    asked = "ray health-check --address batch-29-0.batch:6379"
    assert calls[:3] == [asked, "sleep 2", asked]
    assert calls[3].startswith("ray start --address batch-29-0.batch:6379 --num-cpus 2")


def test_the_job_is_done_when_its_first_pod_is() -> None:
    assert job()["completionMode"] == "Indexed"
    assert job()["successPolicy"] == {"rules": [{"succeededIndexes": "0"}]}
    assert job()["completions"] == job()["parallelism"] > 1


def test_pods_find_the_head_by_the_name_that_the_service_gives_it() -> None:
    (service,) = (m for m in rendered() if m.identity.kind == "Service" and m.identity.name == "batch")
    template = job()["template"]
    assert template["spec"]["subdomain"] == service.identity.name
    assert service.body["spec"]["clusterIP"] == "None"
    assert service.body["spec"]["publishNotReadyAddresses"] is True
    assert service.body["spec"]["selector"].items() <= template["metadata"]["labels"].items()


def test_nobody_speaks_to_ray_without_the_token() -> None:
    (container,) = job()["template"]["spec"]["containers"]
    variables = {entry["name"]: entry.get("value") for entry in container["env"]}
    mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert variables["RAY_AUTH_MODE"] == "token"
    assert str(Path(str(variables["RAY_AUTH_TOKEN_PATH"])).parent) in mounts


@pytest.mark.parametrize("minor", minors())
def test_it_passes_strict_validation(minor: str) -> None:
    assert [what for manifest in rendered() for what in errors(manifest, minor)] == []


def test_its_pods_meet_the_restricted_standard() -> None:
    assert [found for pod in pods(rendered()) for found in violations(pod.spec, pod.annotations)] == []
