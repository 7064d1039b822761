"""What a workflow is given is text to make, and never a command: not in the shell, and not in make itself."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from deploy.promotion.overlay import Overlay
from tests.architecture.source_tree import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()
GUARDED = re.findall(r"^([a-z-]+): plain-inputs", MAKEFILE, flags=re.MULTILINE)
HOSTILE = (
    "$(shell touch {mark})",
    "x; touch {mark}",
    "`touch {mark}`",
    "$$(touch {mark})",
    "a\ntouch {mark}",
    "a b",
)


def make(target: str, **given: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], **given}
    return subprocess.run(
        ["make", "--no-print-directory", target], cwd=ROOT, env=environment, capture_output=True, text=True
    )


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("name", ["DIGEST", "MODEL", "COMMIT"])
def test_an_input_is_refused_and_not_run(tmp_path: Path, name: str, hostile: str) -> None:
    mark = tmp_path / "run"
    done = make("plain-inputs", **{name: hostile.format(mark=mark)})
    assert done.returncode == 2
    assert "neither a name nor a number" in done.stderr
    assert not mark.exists()


@pytest.mark.parametrize("target", GUARDED)
def test_a_target_of_promotion_looks_at_its_inputs_first(tmp_path: Path, target: str) -> None:
    mark = tmp_path / "run"
    given = dict.fromkeys(("OVERLAY", "DIGEST", "MODEL", "COMMIT", "IMAGE"), f"$(shell touch {mark})")
    assert "neither a name nor a number" in make(target, **given).stderr
    assert not mark.exists()


def test_what_is_needed_passes() -> None:
    given = {
        "DIGEST": "sha256:" + "a1" * 32,
        "IMAGE": "registry.example:5000/team/slipway@sha256:" + "a1" * 32,
        "SINCE": "HEAD~1",
        "ACTOR": "renovate[bot]",
        "OVERLAY": "staging",
    }
    assert make("plain-inputs", **given).returncode == 0


@pytest.mark.parametrize(
    ("overlay", "workload", "asked"),
    [
        (
            "staging",
            None,
            "deployment/slipway --namespace slipway-staging {.spec.template.spec.containers[0].image}",
        ),
        (
            "production",
            "rollout/slipway",
            "deployment/slipway --namespace slipway-production {.spec.template.spec.containers[0].image}",
        ),
        (
            "kserve",
            "inferenceservice/slipway",
            "inferenceservice/slipway --namespace slipway-kserve {.spec.predictor.containers[0].image}",
        ),
    ],
)
def test_verifying_waits_for_the_digest_that_git_says(
    tmp_path: Path, overlay: str, workload: str | None, asked: str
) -> None:
    program = tmp_path / "kubectl"
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked; exit 7\n')
    program.chmod(0o755)
    given = {"OVERLAY": overlay} | ({"WORKLOAD": workload} if workload else {})
    done = subprocess.run(
        ["make", "--no-print-directory", "--old-file", "setup", "verify"],
        cwd=ROOT,
        env={"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", **given},
        capture_output=True,
        text=True,
    )
    assert "Error 7" in done.stderr  # nothing else is asked where this was not so
    where, _, path = asked.rpartition(" ")
    image = Overlay(ROOT, overlay).image().reference
    said = (tmp_path / "asked").read_text()
    assert said.startswith(f"wait {where} ")
    assert said.strip().endswith(f"jsonpath={path}={image}")


def test_every_target_that_proposes_or_moves_is_guarded() -> None:
    assert set(GUARDED) >= {"deploy-pr", "model-pr", "model-prs", "revert-pr", "aliases", "sign", "verify"}
