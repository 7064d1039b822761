"""How each server is started for one fixture: command, environment, folder."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.bodies import template
from bench.contestants import EMPTY_BENTOML, FLOOR, MLFLOW, Contestant
from bench.environments import ensure_environment
from bench.errors import BenchError
from bench.fixtures import Fixture
from bench.load import Target
from bench.servers import Launch, free_port
from bench.settings import Settings
from bench.tokens import bearer_token


@dataclass(frozen=True, kw_only=True)
class Site:
    """What the servers of one run share. `scratch` is deleted after the run."""

    settings: Settings
    fixture: Fixture
    scratch: Path
    redis_port: int
    secret: str

    @property
    def database(self) -> Path:
        return self.scratch / "slipway.db"


@dataclass(frozen=True, kw_only=True)
class Start:
    """A server to start, and where it will answer: the fixed body, and the one that varies."""

    launch: Launch
    hits: Target
    misses: Target


def slipway_start(site: Site, *, port: int | None = None) -> Start:
    """The service as a person starts it, with authentication, both cache tiers, prediction log and metrics on."""
    settings, port = site.settings, port or free_port()
    environment = settings.inherited | {
        "PATH": f"{settings.bin}:{settings.inherited.get('PATH', '')}",
        "SLIPWAY_ENV": "dev",
        "JWT_SECRET_KEY": site.secret,
        "API_PORT": str(port),
        "METRICS_PORT": str(free_port()),
        "AGENT_METRICS_PORT": str(free_port()),
        "DATABASE_URL": f"sqlite:///{site.database}",
        "REDIS_URL": f"redis://127.0.0.1:{site.redis_port}/0",
        "SPOOL_DIR": str(site.scratch / "spool"),
        "MODEL_STORE_DIR": str(site.scratch / "store"),
        "DRAIN_FILE": str(site.scratch / "drain"),
        "MODEL_SOURCE": "path",
        "MODEL_PATH": str(site.fixture.servables),
        "CATALOG": site.fixture.catalog,
        "MODELS": site.fixture.model,
        "MLFLOW_TRACKING_URI": f"sqlite:///{site.scratch / 'mlflow.db'}",
        **_bentoml(site),
    }
    command = [
        str(settings.bin / "bentoml"),
        "serve",
        "service:Slipway",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    launch = _launch(site, "slipway", command=command, environment=environment, folder=settings.root)
    path, headers = f"/predict/{site.fixture.model}", {"Authorization": f"Bearer {bearer_token(site.secret)}"}
    row = site.fixture.row
    return Start(
        launch=launch,
        hits=Target(port=port, path=path, headers=headers, template=template(row.fixed())),
        misses=Target(port=port, path=path, headers=headers, template=template(row.marked())),
    )


def empty_bentoml_start(site: Site) -> Start:
    """The least that BentoML can serve, from the same environment that Slipway runs in."""
    settings, port = site.settings, free_port()
    command = [part.format(port=port) for part in EMPTY_BENTOML]
    environment = settings.inherited | {
        "PATH": f"{settings.bin}:{settings.inherited.get('PATH', '')}",
        **_bentoml(site),
    }
    launch = _launch(
        site,
        "empty-bentoml",
        command=command,
        environment=environment,
        folder=settings.peers / "bentoml_empty",
    )
    target = Target(port=port, path="/predict", headers={}, template="{}")
    return Start(launch=launch, hits=target, misses=target)


def contestant_start(site: Site, contestant: Contestant, *, answer_bytes: int) -> Start:
    """A peer. `answer_bytes` is the size of Slipway's answer, which the floor imitates."""
    settings, port = site.settings, free_port()
    folder, bin_folder = settings.peers / contestant.peer, ensure_environment(settings, contestant.peer)
    environment = settings.inherited | _peer_environment(site, contestant, port=port, bin_folder=bin_folder)
    environment["ANSWER_BYTES"] = str(answer_bytes)
    saved = saved_model(site, bin_folder, environment) if contestant is MLFLOW else Path()
    command = [part.format(port=port, saved=saved) for part in contestant.command]
    launch = _launch(site, contestant.name, command=command, environment=environment, folder=folder)
    headers = {"Authorization": f"Bearer {bearer_token(site.secret)}"} if contestant.features_on else {}
    row = site.fixture.row if contestant is FLOOR else site.fixture.peer_row
    bodies = [template(contestant.body(values)) for values in (row.fixed(), row.marked())]
    hits, misses = (
        Target(port=port, path=contestant.path, headers=headers, template=body) for body in bodies
    )
    return Start(launch=launch, hits=hits, misses=misses)


def saved_model(site: Site, bin_folder: Path, environment: dict[str, str]) -> Path:
    """The estimator as an MLflow model, saved by the peer's own MLflow."""
    saved = site.scratch / "mlflow-model"
    if not saved.exists():
        build = [str(bin_folder / "python"), str(site.settings.peers / "mlflow" / "build.py"), str(saved)]
        done = subprocess.run(
            build, env=environment, cwd=site.scratch, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise BenchError(f"MLflow could not save the model:\n{done.stderr.strip()[-2000:]}")
    return saved


def _peer_environment(site: Site, contestant: Contestant, *, port: int, bin_folder: Path) -> dict[str, str]:
    settings = site.settings
    folder = settings.peers / contestant.peer
    return {
        "PATH": f"{bin_folder}:{settings.inherited.get('PATH', '')}",
        "PYTHONPATH": f"{settings.peers / 'shared'}:{folder}",
        "PEER_MODEL": str(site.fixture.peer_folder),
        "PORT": str(port),
        "JWT_SECRET_KEY": site.secret,
        "REDIS_URL": f"redis://127.0.0.1:{site.redis_port}/1",
        "DATABASE_URL": f"sqlite:///{site.scratch / f'{contestant.name}.db'}",
        "MLSERVER_HOST": "127.0.0.1",
        "MLSERVER_HTTP_PORT": str(port),
        "MLSERVER_GRPC_PORT": str(free_port()),
        "MLSERVER_METRICS_PORT": str(free_port()),
        "MLSERVER_PARALLEL_WORKERS": "0",
        "MLSERVER_DEBUG": "false",
        "MLSERVER_ENVIRONMENTS_DIR": str(site.scratch / "mlserver-environments"),
        "MLSERVER_METRICS_DIR": str(site.scratch / "mlserver-metrics"),
        **_bentoml(site),
    }


def _bentoml(site: Site) -> dict[str, str]:
    return {"BENTOML_HOME": str(site.scratch / "bentoml"), "BENTOML_DO_NOT_TRACK": "true"}


def _launch(
    site: Site, name: str, *, command: list[str], environment: dict[str, str], folder: Path
) -> Launch:
    found = shutil.which(command[0], path=environment["PATH"])
    if found is None:
        raise BenchError(f"{name}: {command[0]} was not found")
    return Launch(
        name=name,
        command=[found, *command[1:]],
        environment=environment,
        folder=folder,
        log=site.settings.work / "logs" / f"{site.fixture.model}-{name}.log",
        core=site.settings.server_core,
    )
