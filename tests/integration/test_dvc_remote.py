"""DVC_REMOTE_URL: data and models pushed to S3 from one copy of the project come back in another."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.project_copy import copy_of_the_project, run
from tests.s3_server import S3Server

BUCKET = "slipway-data"


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    server = S3Server(tmp_path_factory.mktemp("s3"))
    server.client().create_bucket(Bucket=BUCKET)
    yield server
    server.stop()


def run_with(s3: S3Server, project: Path, *command: str) -> str:
    return run(project, *command, DVC_REMOTE_URL=f"s3://{BUCKET}/store", **s3.variables)


@pytest.mark.timeout(240)
def test_what_one_copy_pushes_another_pulls(s3: S3Server, tmp_path: Path) -> None:
    first, second = (copy_of_the_project(tmp_path / name) for name in ("first", "second"))
    run_with(s3, first, "python", "-m", "training", "data", "iris")
    run_with(s3, first, "dvc", "repro", "--quiet", "train@iris")
    run_with(s3, first, "python", "-m", "training", "remote")
    assert "pushed" in run_with(s3, first, "dvc", "push")
    assert s3.client().list_objects_v2(Bucket=BUCKET, Prefix="store/")["KeyCount"] > 0
    assert "secret" not in (first / ".dvc" / "config.local").read_text()

    shutil.copy(first / "dvc.lock", second / "dvc.lock")
    run_with(s3, second, "python", "-m", "training", "remote")
    run_with(s3, second, "dvc", "pull", "--allow-missing", "train@iris", "prepare@iris")
    for name in ("models/iris/pipeline/pipeline.skops", "data/prepared/iris/rows.parquet"):
        assert (second / name).read_bytes() == (first / name).read_bytes()
