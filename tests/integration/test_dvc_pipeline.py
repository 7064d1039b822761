"""`dvc repro` in a fresh copy: runs once, then only what a change asks for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PARTS = ("catalog", "modelkit", "records", "training", "dvc.yaml", "params.yaml", ".dvc/config", ".dvcignore")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    for part in PARTS:
        source, target = ROOT / part, folder / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    run(folder, sys.executable, "-m", "training", "data", "iris")
    return folder


def run(folder: Path, *command: str) -> str:
    variables = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        "DVC_NO_ANALYTICS": "1",
    }
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def stages_run(folder: Path) -> list[str]:
    said = run(folder, "dvc", "repro", "compile@iris")
    return [
        line.split("'")[1].split("@")[0] for line in said.splitlines() if line.startswith("Running stage")
    ]


@pytest.mark.timeout(180)
def test_stages_run_once_and_then_only_where_something_changed(project: Path) -> None:
    assert stages_run(project) == ["prepare", "featurize", "train", "evaluate", "compile"]
    assert stages_run(project) == []
    change_knob(project, "evaluate", "repeats", 2)
    assert stages_run(project) == ["evaluate", "compile"]
    definition = project / "catalog" / "iris" / "definition.py"
    definition.write_text(definition.read_text().replace('owner="platform"', 'owner="botany"'))
    assert "train" not in stages_run(project)
    assert "overall.accuracy" in run(project, "dvc", "metrics", "show", "models/iris/metrics.json")


def change_knob(project: Path, stage: str, knob: str, value: int) -> None:
    path = project / "params.yaml"
    params = yaml.safe_load(path.read_text())
    params["models"]["iris"][stage][knob] = value
    path.write_text(yaml.safe_dump(params))
