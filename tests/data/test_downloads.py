"""Public data sets become raw files; without a network that is said, and the offline ways are named."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from catalog.food_delivery.definition import DEFINITION
from catalog.food_delivery.recipe import synthesise
from training.data.downloads import download, is_downloaded
from training.data.raw_data import write_raw
from training.layout import Layout
from training.params import read_params
from training.stages.prepare import prepare

ROOT = Path(__file__).parents[2]


@pytest.fixture
def kaggle(tmp_path: Path) -> Path:
    """The folder that Kaggle's client would give: its names, blanks and `(min) 24`."""
    folder = tmp_path / "kaggle"
    folder.mkdir()
    files = synthesise(seed=3)
    for raw_name, name in (("train_raw.csv.gz", "train.csv"), ("unlabelled_requests.csv.gz", "test.csv")):
        (tmp_path / raw_name).write_bytes(files[raw_name])
        frame = pd.read_csv(tmp_path / raw_name, dtype=str, keep_default_na=False)
        if name == "train.csv":
            frame["Time_taken(min)"] = "(min) " + frame.pop("Time_taken (min)")
            frame = frame.rename(columns={"Weather_conditions": "Weatherconditions"})
            frame["Weatherconditions"] = "conditions " + frame["Weatherconditions"].replace("", "NaN")
        frame.to_csv(folder / name, index=False)
    return folder


def test_a_downloaded_data_set_becomes_raw_files_that_train(kaggle: Path, tmp_path: Path) -> None:
    asked = []

    def fetch(data_set: str) -> Path:
        asked.append(data_set)
        return kaggle

    downloads = tmp_path / "downloads"
    assert not is_downloaded(DEFINITION, downloads)
    assert len(download(DEFINITION, fetch, downloads)) == 3
    assert asked == ["gauravmalik26/food-delivery-dataset"]
    assert is_downloaded(DEFINITION, downloads)
    assert download(DEFINITION, fetch, downloads) == []
    layout = Layout(model=DEFINITION.name, root=tmp_path)
    write_raw(DEFINITION, layout, downloads)
    said = prepare(DEFINITION, read_params(DEFINITION.name), layout)
    assert said.startswith("6100 rows read")


@pytest.fixture
def without_network(tmp_path: Path) -> dict[str, str]:
    """Every request goes to a port where nobody listens."""
    nowhere = dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY"), "http://127.0.0.1:9")
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(tmp_path), **nowhere}


def run(folder: Path, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "training", "download", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_no_network_is_said_with_the_ways_that_remain(
    without_network: dict[str, str], tmp_path: Path
) -> None:
    done = run(tmp_path, without_network, "food-delivery")
    assert done.returncode == 1
    assert "could not be downloaded" in done.stderr
    assert "SLIPWAY_RAW_DIR" in done.stderr
    assert "Traceback" not in done.stderr


def test_offline_is_no_failure_where_the_caller_can_go_on(
    without_network: dict[str, str], tmp_path: Path
) -> None:
    done = run(tmp_path, without_network, "--or-offline", "food-delivery")
    assert (done.returncode, done.stderr) == (0, "")
    assert "skipped: " in done.stdout


def test_given_files_need_no_download(without_network: dict[str, str], tmp_path: Path) -> None:
    done = run(tmp_path, {**without_network, "SLIPWAY_RAW_DIR": str(tmp_path)}, "iris")
    assert (done.returncode, done.stdout) == (
        0,
        "download iris: not needed: SLIPWAY_RAW_DIR names a folder of real files\n",
    )
