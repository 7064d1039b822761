"""The program of the retraining CronJob, run for real with programs that stand in for Python and DVC."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.manifests.kustomize import ROOT

PROGRAM = ROOT / "kustomize" / "components" / "retrain" / "retrain.sh"
PYTHON = """#!/bin/sh
echo "$*" >>calls
model=$4
[ "$3" = retrain ] || exit 0
exit "$(cat "answers/$model" 2>/dev/null || echo 0)"
"""
DVC = """#!/bin/sh
echo "dvc $*" >>calls
[ ! -e dvc-is-away ] || [ "$1" = config ]
"""


class Workspace:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "programs").mkdir()
        (folder / "answers").mkdir()
        for name, text in (("python", PYTHON), ("dvc", DVC)):
            (folder / "programs" / name).write_text(text)
            (folder / "programs" / name).chmod(0o755)
        for model in ("iris", "order_delivery"):
            (folder / "catalog" / model).mkdir(parents=True)
            (folder / "catalog" / model / "definition.py").touch()

    def answer(self, model: str, code: int) -> None:
        (self.folder / "answers" / model).write_text(str(code))

    def run(self, **settings: str) -> int:
        path = f"{self.folder / 'programs'}{os.pathsep}{os.environ['PATH']}"
        environment = {"PATH": path, **settings}
        done = subprocess.run(
            [str(shutil.which("sh")), str(PROGRAM)], cwd=self.folder, env=environment, timeout=30, check=False
        )
        return done.returncode

    @property
    def calls(self) -> list[str]:
        return (self.folder / "calls").read_text().splitlines()

    @property
    def retrained(self) -> list[str]:
        return [call.split()[3] for call in self.calls if call.startswith("-m training retrain")]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


def test_every_model_of_the_catalog_is_retrained_where_none_is_named(workspace: Workspace) -> None:
    assert workspace.run() == 0
    assert workspace.retrained == ["iris", "order-delivery"]


def test_only_named_models_are_retrained(workspace: Workspace) -> None:
    assert workspace.run(RETRAIN_MODELS="iris") == 0
    assert workspace.retrained == ["iris"]


def test_one_refused_model_keeps_no_other_from_its_retraining(workspace: Workspace) -> None:
    workspace.answer("iris", 3)
    assert workspace.run() == 3
    assert workspace.retrained == ["iris", "order-delivery"]


@pytest.mark.parametrize(
    ("codes", "told"), [((75, 0), 0), ((1, 3), 1), ((3, 1), 1), ((75, 3), 3), ((4, 0), 1)]
)
def test_the_exit_code_says_the_worst_that_happened(
    workspace: Workspace, codes: tuple[int, int], told: int
) -> None:
    for model, code in zip(("iris", "order-delivery"), codes, strict=True):
        workspace.answer(model, code)
    assert workspace.run() == told


def test_results_of_stages_are_shared_where_there_is_a_remote(workspace: Workspace) -> None:
    assert workspace.run(DVC_REMOTE_URL="s3://bucket/dvc") == 0
    calls = [call for call in workspace.calls if "retrain" not in call]
    assert calls[1] == "-m training remote"
    assert [call.split()[1] for call in (calls[2], calls[-1])] == ["pull", "push"]


def test_a_remote_that_is_away_stops_no_retraining(workspace: Workspace) -> None:
    (workspace.folder / "dvc-is-away").touch()
    assert workspace.run(DVC_REMOTE_URL="s3://bucket/dvc") == 0
    assert workspace.retrained == ["iris", "order-delivery"]
