"""Nonsense ends in one line and an exit code, whatever command it is said to: a new command is tested by being there."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from training.cli import STAGES, command_modules, main

ROOT = Path(__file__).parents[2]
MODULES = command_modules()
OF_MODELS = [*STAGES, *(name for name, module in MODULES.items() if module.MODELS != "none")]
# What some commands want beside a model; those that would ask the network are told not to.
ALSO = {
    "batch": ("flowers.csv", "species.csv"),
    "score": ("--raw", "nowhere"),
    "recap": ("--step", "training"),
}
ASKS_THE_NETWORK = {"download"}

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own


@pytest.fixture
def empty(tmp_path: Path, mlflow_uri: str) -> Iterator[Path]:
    """A folder without anything but an empty registry, as the current one."""
    assert Path(mlflow_uri.removeprefix("sqlite:///")).parent == tmp_path
    with contextlib.chdir(tmp_path):
        yield tmp_path


def refused(argv: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """The exit code and the line."""
    code, said = main(argv), capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1), said
    assert said.err.startswith(f"{argv[0]}: ")
    return code, said.err


@pytest.mark.parametrize("command", [*STAGES, *MODULES])
def test_an_unknown_option_is_one_line(command: str, empty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused([command, "iris", *ALSO.get(command, ()), "--no-such-option"], capsys)[0] == 2


@pytest.mark.parametrize("command", OF_MODELS)
def test_an_unknown_model_is_one_line(command: str, empty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = refused([command, "tulip", *ALSO.get(command, ())], capsys)
    assert code == 2
    assert "the catalog declares no tulip; it declares basket, " in said
    assert list(empty.iterdir()) == [empty / "mlflow.db"], "something was done before that was seen"


NEED_A_KEY = {"sign", "verify"}  # a setting of theirs is wrong before anything else is


@pytest.mark.parametrize("command", [name for name in OF_MODELS if name not in ASKS_THE_NETWORK])
@pytest.mark.parametrize("model", ["iris", "basket"])
def test_in_an_empty_folder_a_command_says_what_is_missing_or_has_something_to_say(
    command: str, model: str, empty: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = main([command, model, *ALSO.get(command, ())]), capsys.readouterr()
    assert code in (0, 1) or command in NEED_A_KEY
    assert said.err.count("\n") == (code > 0)
    assert bool(said.out) == (code == 0)


@pytest.mark.parametrize(
    ("argv", "code", "said"),
    [
        (["promote", "iris", "--version", "nine"], 1, "has no version nine"),
        (["promote", "iris", "--version", "9"], 1, "has no version 9"),
        (["promote", "iris", "--again"], 2, "--again needs --version"),
        (["promote", "iris", "housing", "--version", "1"], 2, "about one model"),
        (["promote", "iris", "--expect", "1", "--version", "1"], 1, "has no version 1"),
        (
            ["rollback", "iris", "--expect", "1"],
            4,
            "production was expected to be version 1 and is no version",
        ),
        (["materialize", "basket", "--as-of", "soon"], 1, "--as-of is a local time"),
        (["materialize", "basket", "--as-of", "2011-11-21T00:00Z"], 1, "--as-of is a local time"),
        (["retrain", "iris", "--drift-report", "."], 1, "is no drift report"),
        (["score", "iris", "--raw", "mlflow.db"], 1, ""),
        (["batch", "iris", "nowhere.csv", "out.csv", "--chunk-rows", "0"], 2, "--chunk-rows"),
        (["compare", "--out", "mlflow.db"], 1, "mlflow.db"),
        (["fly"], 2, "invalid choice: 'fly'"),
    ],
)
def test_other_nonsense_is_one_line(argv: list[str], code: int, said: str, empty: Path) -> None:
    """In a process of its own: MLflow remembers registries by address, and every folder's has the same."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(empty)}
    command = [sys.executable, "-m", "training", *argv]
    done = subprocess.run(command, cwd=empty, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    if argv != ["fly"]:
        assert done.stderr.startswith(f"{argv[0]}: ")
        assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("variables", "arguments", "code", "said"),
    [
        ({"REPLAY_ROWS": "many"}, ("status",), 2, "status: REPLAY_ROWS: Input should be a valid integer"),
        ({"SLIPWAY_RAW_DIR": "raw"}, ("notebooks", "nope.py"), 1, "notebooks: nope.py is no file"),
        ({"SLIPWAY_RAW_DIR": "raw"}, ("notebooks", "page.ipynb"), 1, "notebooks: page.ipynb is no script"),
        ({"SLIPWAY_RAW_DIR": "raw"}, ("data", "iris"), 1, "iris.csv.gz is not in the folder"),
        ({"CATALOG": "nowhere"}, ("status",), 2, "status: CATALOG: there is no package nowhere"),
    ],
)
def test_a_setting_that_means_nothing_is_one_line(
    variables: dict[str, str], arguments: tuple[str, ...], code: int, said: str, tmp_path: Path
) -> None:
    (tmp_path / "page.ipynb").write_text("{}")
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(tmp_path), **variables}
    command = [sys.executable, "-m", "training", *arguments]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (code, "", 1), done.stderr
    assert said in done.stderr
    assert (tmp_path / "page.ipynb").read_text() == "{}"


@pytest.mark.parametrize("arguments", ["--help", "status --help", "recap --step training"])
def test_a_reader_who_leaves_is_told_nothing(arguments: str, tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "training", *arguments.split()]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        running.stdout.close()
        assert running.stderr is not None
        assert running.stderr.read() == ""
    assert running.returncode == 0


@pytest.mark.parametrize("goal", ["gates", "retrain", "rollback", "params-search"])
def test_make_says_which_name_is_missing_before_it_does_anything(goal: str, tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}  # no flags of a `make` around the tests
    done = subprocess.run(["make", goal], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert f"say which one: make {goal} MODEL=iris" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["Makefile"]
