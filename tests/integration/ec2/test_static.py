"""What the tools of others say of the template and the hooks."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from deploy.commands.ec2_bundle import FOLDER
from tests.architecture.source_tree import ROOT

CHECKS = ROOT / ".venv-checks" / "bin"
SCRIPTS = [
    *sorted((FOLDER / "hooks").glob("*.sh")),
    ROOT / "kustomize" / "components" / "retrain" / "retrain.sh",
]


def said(*command: str) -> str:
    done = subprocess.run(
        command, cwd=FOLDER / "hooks", capture_output=True, text=True, timeout=120, check=False
    )
    return (done.stdout + done.stderr).strip()


def test_cfn_lint_finds_nothing() -> None:
    assert said(str(CHECKS / "cfn-lint"), "-t", str(FOLDER / "template.yaml")) == ""


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_shellcheck_finds_nothing(script: Path) -> None:
    assert said(str(CHECKS / "shellcheck"), "--external-sources", "--source-path=.", str(script)) == ""


def test_a_broken_script_is_found(tmp_path: Path) -> None:
    (tmp_path / "broken.sh").write_text("#!/bin/sh\nrm -rf $STATE_DIR/*\n")
    assert "SC2115" in said(str(CHECKS / "shellcheck"), str(tmp_path / "broken.sh"))
