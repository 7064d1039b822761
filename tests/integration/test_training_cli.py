"""`python -m training` as its users meet it: one line for what was done, one for what went wrong, an exit code."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from modelkit.definition import load_catalog

ROOT = Path(__file__).parents[2]


def training(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(folder), **variables}
    command = [sys.executable, "-m", "training", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_data_says_what_it_wrote_and_then_that_nothing_changed(tmp_path: Path) -> None:
    assert "synthetic" in training(tmp_path, "data", "iris").stdout
    again = training(tmp_path, "data", "iris")
    assert (again.returncode, again.stderr) == (0, "")
    assert again.stdout.endswith("unchanged\n")


def test_an_unknown_model_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    done = training(tmp_path, "data", "tulip")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"data: the catalog declares no tulip; it declares {', '.join(load_catalog())}\n"


def test_an_unknown_command_is_exit_code_2(tmp_path: Path) -> None:
    assert training(tmp_path, "fly").returncode == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("promote", "iris"), "promote: iris has no candidate: register one first\n"),
        (("rollback", "iris"), "rollback: iris has no version in production to roll back\n"),
    ],
)
def test_an_empty_registry_is_said_in_one_line(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    done = training(tmp_path, *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", said)


def test_a_remote_needs_an_address(tmp_path: Path) -> None:
    done = training(tmp_path, "remote")
    assert (done.returncode, done.stderr) == (1, "remote: DVC_REMOTE_URL is not set\n")


def test_a_raw_folder_without_the_file_is_said(tmp_path: Path) -> None:
    done = training(tmp_path, "data", "iris", SLIPWAY_RAW_DIR=str(tmp_path))
    assert done.returncode == 1
    assert "iris/iris.csv.gz is not in the folder that SLIPWAY_RAW_DIR names" in done.stderr


@pytest.mark.parametrize("stage", ["prepare", "featurize", "train", "evaluate", "compile", "report"])
def test_a_stage_without_what_the_step_before_it_makes_is_one_line(stage: str, tmp_path: Path) -> None:
    shutil.copy(ROOT / "params.yaml", tmp_path)
    done = training(tmp_path, stage, "iris")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"{stage}: ")
    assert done.stderr.count("\n") == 1


def test_judging_what_was_never_compiled_names_the_folder(tmp_path: Path) -> None:
    done = training(tmp_path, "judge", "iris")
    assert (done.returncode, done.stdout) == (1, "")
    assert (
        done.stderr == "judge: models/iris/servable holds no servable: the stage compile of iris makes one\n"
    )


def test_a_spoilt_servable_is_said_with_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "models" / "iris" / "servable"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    assert training(tmp_path, "judge", "iris").stderr.startswith("judge: models/iris/servable: the folder ")


def test_a_reader_who_has_had_enough_is_no_failure(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "training", "data", "iris"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, stdout=writing, stderr=subprocess.PIPE, text=True
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")
    assert training(tmp_path, "data", "iris").stdout.endswith("unchanged\n")


def test_a_reader_who_leaves_in_the_middle_of_much_is_told_nothing(tmp_path: Path) -> None:
    talk = """
import sys, training.__main__ as command
command.main = lambda _: print("a line" * 1_000_000)
sys.exit(command.run())
"""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", talk], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.read(10)
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == 1


@pytest.mark.parametrize("text", ["models: [", "nothing: here\n"])
def test_params_that_cannot_be_read_are_one_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text(text)
    done = training(tmp_path, "train", "iris")
    assert done.returncode == 1
    assert done.stderr.startswith("train: params.yaml cannot be read: ")
    assert done.stderr.count("\n") == 1
