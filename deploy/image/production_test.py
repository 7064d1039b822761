"""The production test: the image as a cluster would run it, asked what a client would ask, checked number by number.

The registry it is told to follow does not answer, so what is tried is also the promise that a pod then serves what it carries.
"""

from __future__ import annotations

import random
import secrets
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from deploy.errors import ImageFailed
from deploy.image import inside, questions
from deploy.image.building import Builder
from deploy.image.configuration import check_configuration
from deploy.image.container import PYTHON, RUN_FOLDER, Cell, Container, run_once, start
from deploy.image.engine import Engine
from deploy.image.expectation import expected_answer
from deploy.image.sample_model import MODEL
from deploy.image.trial import Report
from deploy.image.trial_model import Served, served_model

PORT = 8090
READY_SECONDS = 90
HEALTHY_SECONDS = 60
STOP_SECONDS = 20
SECRETS, MODELS = "/etc/slipway/secrets", "/mnt/models"
USER = "production-test"
NOBODY_LISTENS = "http://127.0.0.1:9"
REMOVE_ALL = f"""
import pathlib, shutil
for path in pathlib.Path({RUN_FOLDER!r}).iterdir():
    shutil.rmtree(path) if path.is_dir() else path.unlink()
"""


def try_image(builder: Builder, image: str | None) -> Report:
    """Of the given image, or of one that is built around a model trained for it."""
    with tempfile.TemporaryDirectory(prefix="slipway-trial-") as name:
        folder = Path(name).resolve()
        folder.chmod(0o755)
        served, image = served_model(builder, image, folder)
        report, expected = Report(image=image), expected_answer(served.servable)
        check_configuration(report, builder.engine.run("image", "inspect", image))
        with _cell(folder, image, served, builder.engine) as cell:
            password = secrets.token_urlsafe(24)
            _before_it_serves(report, builder.engine, cell, password)
            builder.say("starting it: read-only, no capabilities, a random user")
            with _running(builder.engine, cell) as container:
                _while_it_serves(report, container, questions.Client(PORT, USER, password, expected))
                inside.check_inside(report, container, cell.user)
                _at_its_end(report, container)
            inside.check_log(report, folder / "run" / "slipway.db")
        return report


def _before_it_serves(report: Report, engine: Engine, cell: Cell, password: str) -> None:
    bare = {name: value for name, value in cell.variables.items() if not name.startswith("JWT_")}
    refused = run_once(engine, Cell(image=cell.image, user=cell.user, mounts=cell.mounts, variables=bare))
    said = "JWT_SECRET_KEY" in refused.said and refused.code != 0
    report.note("refuses to start without a signing key, and names it", refused.said, passed=said)
    migrated = run_once(engine, cell, "records", "upgrade")
    report.note("`records upgrade` brings the schema", migrated.said, passed=migrated.code == 0)
    created = run_once(engine, cell, "auth", "create-user", USER, given=f"{password}\n")
    report.note("`auth create-user` creates a user", created.said, passed=created.code == 0)


def _while_it_serves(report: Report, container: Container, client: questions.Client) -> None:
    started = time.monotonic()
    ready = client.becomes_ready(seconds=READY_SECONDS)
    report.note("ready without a registry", f"after {time.monotonic() - started:.1f} s", passed=ready)
    if not ready:
        raise ImageFailed(f"the container is not ready:\n{report.table()}\n{container.logs()[-3000:]}")
    client.check(report)
    healthy = container.becomes_healthy(seconds=HEALTHY_SECONDS)
    report.note("HEALTHCHECK says healthy", healthy, passed=healthy)


def _at_its_end(report: Report, container: Container) -> None:
    code, seconds = container.stop()
    passed = code == 0 and seconds < STOP_SECONDS
    report.note("stops by itself on SIGTERM", f"exit code {code} after {seconds:.1f} s", passed=passed)


@dataclass(frozen=True, kw_only=True)
class _Files:
    """What a cluster would mount: secrets as files, and the one folder that several containers of the trial share."""

    folder: Path

    def write(self) -> tuple[str, ...]:
        run, mounted = self.folder / "run", self.folder / "secrets"
        run.mkdir()
        run.chmod(0o777)  # the user is chosen at random, as platforms do
        mounted.mkdir()
        (mounted / "jwt-secret-key").write_text(secrets.token_urlsafe(48))
        (mounted / "database-url").write_text(f"sqlite:///{RUN_FOLDER}/slipway.db")
        for path in mounted.iterdir():
            path.chmod(0o444)
        return f"{run}:{RUN_FOLDER}", f"{mounted}:{SECRETS}:ro"


@contextmanager
def _cell(folder: Path, image: str, served: Served, engine: Engine) -> Iterator[Cell]:
    mounts, variables = _Files(folder=folder).write(), production_settings()
    if served.beside is not None:
        mounts, variables = (*mounts, f"{served.beside}:{MODELS}:ro"), {**variables, "MODEL_PATH": MODELS}
    cell = Cell(image=image, user=random.randrange(20_000, 60_000), mounts=mounts, variables=variables)
    try:
        yield cell
    finally:  # its files belong to the random user: let that one remove them
        run_once(engine, cell, "-c", REMOVE_ALL, entrypoint=PYTHON)


def production_settings() -> Mapping[str, str]:
    return {
        "SLIPWAY_ENV": "production",
        "REQUIRE_SIGNED_MODELS": "false",  # a trial serves what it made itself a moment ago
        "MODELS": MODEL,
        "MLFLOW_TRACKING_URI": NOBODY_LISTENS,
        "JWT_SECRET_KEY_FILE": f"{SECRETS}/jwt-secret-key",
        "DATABASE_URL_FILE": f"{SECRETS}/database-url",
    }


@contextmanager
def _running(engine: Engine, cell: Cell) -> Iterator[Container]:
    name = f"slipway-trial-{secrets.token_hex(4)}"
    try:
        yield start(engine, cell, name=name, port=PORT)
    except httpx.HTTPError as error:
        raise ImageFailed(f"the container does not answer: {error}") from error
    finally:
        engine.succeeds("rm", "--force", name)
