"""`dvc repro` in a fresh copy: runs once, then only what a change asks for; whole steps by their well-known names."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.project_copy import copy_of_the_project, run

STAGES = ["prepare", "featurize", "train", "evaluate", "compile", "report"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With iris alone in its parameters, so that names of whole steps mean its stages."""
    project = copy_of_the_project(tmp_path_factory.mktemp("project"))
    params = yaml.safe_load((project / "params.yaml").read_text())
    params["models"] = {"iris": params["models"]["iris"]}
    (project / "params.yaml").write_text(yaml.safe_dump(params))
    run(project, "python", "-m", "training", "data", "iris")
    return project


def stages_run(project: Path, target: str = "report@iris") -> list[str]:
    said = run(project, "dvc", "repro", target)
    return [
        line.split("'")[1].split("@")[0] for line in said.splitlines() if line.startswith("Running stage")
    ]


@pytest.mark.timeout(240)
def test_stages_run_once_and_then_only_where_something_changed(project: Path) -> None:
    assert stages_run(project) == STAGES
    assert stages_run(project) == []
    change_knob(project, "evaluate", "repeats", 2)
    assert stages_run(project) == ["evaluate", "compile", "report"]
    definition = project / "catalog" / "iris" / "definition.py"
    definition.write_text(definition.read_text().replace('owner="platform"', 'owner="botany"'))
    assert "train" not in stages_run(project)
    assert "overall.accuracy" in run(project, "dvc", "metrics", "show", "models/iris/metrics.json")


@pytest.mark.timeout(240)
@pytest.mark.parametrize("step", ["data_preparation", "feature_engineering", "train_iris"])
def test_a_whole_step_runs_what_it_needs_and_then_nothing(project: Path, step: str) -> None:
    assert stages_run(project, step)[-1] == step
    assert stages_run(project, step) == []


def change_knob(project: Path, stage: str, knob: str, value: int) -> None:
    path = project / "params.yaml"
    params = yaml.safe_load(path.read_text())
    params["models"]["iris"][stage][knob] = value
    path.write_text(yaml.safe_dump(params))
