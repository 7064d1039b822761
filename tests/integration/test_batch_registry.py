"""A batch by a version of the registry: fetched by a process of its own, whose failures are said as if it were none."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from catalog.iris.definition import DEFINITION as IRIS
from tests.integration.test_training_cli import training
from tests.model_signing_keys import new_pair
from tests.tiny_versions import TinyVersions
from training.cli import main
from training.promotion.signing import Signer
from training.registry import Registry

TABLE = "sepal_length,sepal_width,petal_length,petal_width\n5.1,3.5,1.4,0.2\n"


@pytest.fixture
def variables(mlflow_uri: str, tmp_path: Path) -> dict[str, str]:
    (tmp_path / "in.csv").write_text(TABLE)
    return {"MLFLOW_TRACKING_URI": mlflow_uri}


def test_the_version_that_holds_the_alias_answers(
    tmp_path: Path, mlflow_uri: str, variables: dict[str, str]
) -> None:
    TinyVersions(IRIS, mlflow_uri, tmp_path).candidate()
    done = training(tmp_path, "batch", "iris", "in.csv", "out.csv", "--alias", "candidate", **variables)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "batch iris: version 1, 1 rows; 1 answered\n"
    with (tmp_path / "out.csv").open(newline="") as file:
        assert [row["model_version"] for row in csv.DictReader(file)] == ["1"]


def test_a_version_that_is_not_there_is_said_in_one_line(tmp_path: Path, variables: dict[str, str]) -> None:
    done = training(tmp_path, "batch", "iris", "in.csv", "out.csv", "--version", "7", **variables)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"batch: {IRIS.registry_name} has no version 7\n"


def test_where_keys_are_known_only_what_one_of_them_signed_answers(
    tmp_path: Path, mlflow_uri: str, variables: dict[str, str]
) -> None:
    version, keys = TinyVersions(IRIS, mlflow_uri, tmp_path).candidate(), new_pair(tmp_path / "keys")
    variables |= {"MODEL_VERIFY_KEYS_FILE": str(keys.public)}
    asked = ("batch", "iris", "in.csv", "out.csv", "--alias", "candidate")
    done = training(tmp_path, *asked, **variables)
    assert (done.returncode, done.stderr) == (1, "batch: it is not signed\n")
    Signer(Registry(mlflow_uri), keys.private.read_bytes()).sign(version)
    done = training(tmp_path, *asked, **variables)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("count", ["abc", "0", "-1", "1.5"])
def test_a_number_of_rows_that_is_none_is_said_as_such(
    capsys: pytest.CaptureFixture[str], count: str
) -> None:
    assert main(["batch", "iris", "in.csv", "out.csv", f"--chunk-rows={count}"]) == 2
    assert f"must be a whole number of at least 1, not '{count}'" in capsys.readouterr().err
