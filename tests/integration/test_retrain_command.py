"""`python -m training retrain` as a CronJob meets it: real stages in a fresh copy, a line to read, an exit code."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.project_copy import copy_of_the_project


def retrain(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Started by its full path, as a container would: the stages must find the same Python by themselves."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(project.parent)}
    command = [sys.executable, "-m", "training", "retrain", "iris", "--actor", "cron", *arguments]
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)


@pytest.mark.timeout(300)
def test_a_first_night_makes_a_candidate_and_the_next_ones_nothing(tmp_path: Path) -> None:
    project = copy_of_the_project(tmp_path)
    first = retrain(project)
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.startswith("retrain iris: version 1 passed")
    assert "the candidate" in first.stdout
    assert (project / "reports" / "retrain-iris.md").is_file()

    for folder in ("data", "models", ".dvc/cache"):  # another pod, without what this one left behind
        shutil.rmtree(project / folder)
    again = retrain(project, "--reason", "nightly")
    assert (again.returncode, again.stderr) == (0, "")
    assert "nothing new: version 1 (candidate)" in again.stdout
    assert not (project / "models").exists()

    with (project / "var" / "slipway.db.iris.retraining.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        busy = retrain(project)
    assert (busy.returncode, busy.stdout) == (75, "")
    assert busy.stderr == "retrain: another retraining of iris is at work; nothing was done\n"


def test_a_file_that_is_no_drift_report_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "drift.json").write_text("{")
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", "training", "retrain", "iris", "--drift-report", "drift.json"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "retrain: drift.json is no drift report: a JSON object of columns and their PSI\n"
