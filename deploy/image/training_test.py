"""The training image as a cluster runs it: read-only, a random user, one writable folder. It has to train there, and to keep."""

from __future__ import annotations

import random
import secrets
import time

import httpx

from deploy.image.configuration import check_configuration
from deploy.image.container import Cell, run_once
from deploy.image.engine import Engine
from deploy.image.trial import Report

PORT = 5055
WAIT_SECONDS = 120
WORKSPACE, SCRATCH = "/workspace", "/tmp"  # noqa: S108  # inside the container
# What the nightly retraining does: a copy of the project, data, one stage by DVC, which finds no Git repository.
TRAIN = f"""
set -e
cp -R . {WORKSPACE}; cd {WORKSPACE}
python -m training data iris
dvc repro --quiet train@iris
dvc status train@iris
"""
MLFLOW = {
    "MLFLOW_BACKEND_STORE_URI": "sqlite:////var/lib/mlflow/mlflow.db",
    "MLFLOW_ARTIFACTS_DESTINATION": "/var/lib/mlflow/artifacts",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}


def try_training_image(engine: Engine, image: str) -> Report:
    report, user = Report(image=image), random.randrange(20_000, 60_000)
    check_configuration(report, engine.run("image", "inspect", image))
    writable, variables = (WORKSPACE, SCRATCH), {"SLIPWAY_RAW_DIR": ""}
    cell = Cell(image=image, user=user, memory="2g", writable=writable, variables=variables)
    helped = run_once(engine, cell, "training", "--help")
    report.note("`training --help`", helped.said[:60], passed=helped.code == 0)
    trained = run_once(engine, cell, "-c", TRAIN, entrypoint="/bin/sh")
    report.note("DVC trains in a writable copy", trained.said[-300:], passed=trained.code == 0)
    for program in ("dvc", "ray"):
        found = run_once(engine, cell, "--version", entrypoint=f"/app/.venv/bin/{program}")
        report.note(f"`{program} --version`", found.said, passed=found.code == 0)
    writable = ("/var/lib/mlflow", SCRATCH)
    keeper = Cell(image=image, user=user, memory="1g", writable=writable, variables=MLFLOW)
    _try_server(report, engine, keeper)
    return report


def _try_server(report: Report, engine: Engine, cell: Cell) -> None:
    name = f"slipway-trial-{secrets.token_hex(4)}"
    server = "mlflow server --host 0.0.0.0 --port 5000 --workers 1 --serve-artifacts".split()
    published = ("--publish", f"127.0.0.1:{PORT}:5000")
    try:
        engine.run("run", "--detach", "--name", name, *published, *cell.options(), cell.image, *server)
        report.note("the MLflow server is healthy", name, passed=_becomes_healthy())
    finally:
        engine.succeeds("rm", "--force", name)


def _becomes_healthy() -> bool:
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"http://127.0.0.1:{PORT}/health", timeout=5, trust_env=False).status_code == 200:
                return True
        except httpx.HTTPError:  # nobody listens yet
            pass
        time.sleep(0.5)
    return False
