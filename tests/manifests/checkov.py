"""Runs checkov, an opinion from outside, over what the overlays render to."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from deploy.manifests.kustomize import ROOT
from deploy.manifests.objects import Manifest, documents
from tests.manifests.pods import pods

PROGRAM = ROOT / ".venv-checks" / "bin" / "checkov"
SKIPS = Path(__file__).with_name("checkov_skips.yaml")
LIMIT_SECONDS = 110


@dataclass(frozen=True, order=True)
class Failure:
    check: str
    where: str  # overlay, kind and name

    def __str__(self) -> str:
        return f"{self.check} {self.where}"


@dataclass(frozen=True)
class Skip:
    check: str
    where: str
    reason: str

    def covers(self, failure: Failure) -> bool:
        return self.check == failure.check and re.fullmatch(self.where, failure.where) is not None


def skips() -> list[Skip]:
    return [Skip(**entry) for entry in documents(SKIPS.read_text(encoding="utf-8"))[0]]


def failures(rendered: Mapping[str, Iterable[Manifest]], folder: Path) -> set[Failure]:
    """What checkov finds, by overlay; it has to know every overlay, or it has judged less than it was given."""
    assert PROGRAM.is_file(), "checkov is missing: make checks-env"
    for name, manifests in rendered.items():
        bodies = [body for manifest in manifests for body in _known(manifest)]
        (folder / f"{name}.yaml").write_text(yaml.safe_dump_all(bodies), encoding="utf-8")
    command = [
        str(PROGRAM),
        "-d",
        str(folder),
        "--framework",
        "kubernetes",
        "--compact",
        "--skip-download",
        "-o",
        "json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False)
    report: dict[str, Any] = json.loads(done.stdout)
    assert report["summary"]["parsing_errors"] == 0
    results = report["results"]
    judged = {
        Path(result["file_path"]).stem for result in (*results["passed_checks"], *results["failed_checks"])
    }
    assert judged == set(rendered), done.stderr
    return {_failure(result) for result in results["failed_checks"]}


def _known(manifest: Manifest) -> list[dict[str, Any]]:
    """The object, and the pods in it where checkov does not know its kind."""
    if manifest.identity.kind != "InferenceService":
        return [manifest.body]
    metadata = {"name": manifest.identity.name, "namespace": manifest.identity.namespace}
    return [
        {"apiVersion": "v1", "kind": "Pod", "metadata": {**metadata, "labels": pod.labels}, "spec": pod.spec}
        for pod in pods([manifest])
    ]


def _failure(result: dict[str, Any]) -> Failure:
    kind, _, name = result["resource"].split(".", 2)
    return Failure(result["check_id"], f"{Path(result['file_path']).stem} {kind} {name.split(' ')[0]}")
