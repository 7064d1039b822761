"""DVC_REMOTE_URL: data and models pushed to S3 from one copy of the project come back in another."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.s3_server import S3Server

ROOT = Path(__file__).parents[2]
PARTS = ("catalog", "modelkit", "records", "training", "dvc.yaml", "params.yaml", ".dvc/config", ".dvcignore")
BUCKET = "slipway-data"


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    server = S3Server(tmp_path_factory.mktemp("s3"))
    server.client().create_bucket(Bucket=BUCKET)
    yield server
    server.stop()


def copy_project(folder: Path) -> Path:
    for part in PARTS:
        source, target = ROOT / part, folder / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    return folder


def run(folder: Path, s3: S3Server, *command: str) -> str:
    variables = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        "DVC_NO_ANALYTICS": "1",
        "DVC_REMOTE_URL": f"s3://{BUCKET}/store",
        **s3.variables,
    }
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.timeout(240)
def test_what_one_copy_pushes_another_pulls(s3: S3Server, tmp_path: Path) -> None:
    first, second = copy_project(tmp_path / "first"), copy_project(tmp_path / "second")
    run(first, s3, "python", "-m", "training", "data", "iris")
    run(first, s3, "dvc", "repro", "--quiet", "train@iris")
    run(first, s3, "python", "-m", "training", "remote")
    assert "pushed" in run(first, s3, "dvc", "push")
    assert s3.client().list_objects_v2(Bucket=BUCKET, Prefix="store/")["KeyCount"] > 0
    assert "secret" not in (first / ".dvc" / "config.local").read_text()

    shutil.copy(first / "dvc.lock", second / "dvc.lock")
    run(second, s3, "python", "-m", "training", "remote")
    run(second, s3, "dvc", "pull", "--allow-missing", "train@iris", "prepare@iris")
    for name in ("models/iris/pipeline/pipeline.skops", "data/prepared/iris/rows.parquet"):
        assert (second / name).read_bytes() == (first / name).read_bytes()
