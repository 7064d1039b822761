"""How each server is started for one fixture: command, environment, folder."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from bench.bodies import template
from bench.contestants import EMPTY_BENTOML
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
    """A server to start, and where it will answer: the fixed body, the one that varies, and that one from another caller."""

    launch: Launch
    hits: Target
    misses: Target
    neighbour: Target | None = None


def slipway_start(site: Site, *, port: int | None = None) -> Start:
    """The service as a person starts it, with authentication, both cache tiers, prediction log and metrics on."""
    settings, port = site.settings, port or free_port()
    environment = settings.inherited | {
        "PATH": f"{settings.bin}:{settings.inherited.get('PATH', '')}",
        "SLIPWAY_ENV": "dev",
        "JWT_SECRET_KEY": site.secret,
        "API_HOST": "127.0.0.1",
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
        **bentoml_environment(site, "slipway"),
    }
    command = [str(settings.bin / "python"), "-m", "serving"]
    launch = launch_for(site, "slipway", command=command, environment=environment, folder=settings.root)
    row, path = site.fixture.row, f"/predict/{site.fixture.model}"
    ours, theirs = (_known_as(site, subject) for subject in ("bench", "neighbour"))
    return Start(
        launch=launch,
        hits=Target(port=port, path=path, headers=ours, template=template(row.fixed())),
        misses=Target(port=port, path=path, headers=ours, template=template(row.marked())),
        neighbour=Target(port=port, path=path, headers=theirs, template=template(row.marked())),
    )


def _known_as(site: Site, subject: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {bearer_token(site.secret, subject)}"}


def empty_bentoml_start(site: Site) -> Start:
    """The least that BentoML can serve, from the same environment that Slipway runs in."""
    settings, port = site.settings, free_port()
    command = [part.format(port=port) for part in EMPTY_BENTOML]
    environment = settings.inherited | {
        "PATH": f"{settings.bin}:{settings.inherited.get('PATH', '')}",
        **bentoml_environment(site, "empty"),
    }
    launch = launch_for(
        site,
        "empty-bentoml",
        command=command,
        environment=environment,
        folder=settings.peers / "bentoml_empty",
    )
    target = Target(port=port, path="/predict", headers={}, template="{}")
    return Start(launch=launch, hits=target, misses=target)


def bentoml_environment(site: Site, name: str) -> dict[str, str]:
    """A home of its own: `bentoml serve` empties its home's metrics folder, also that of a service still running."""
    return {"BENTOML_HOME": str(site.scratch / f"bentoml-{name}"), "BENTOML_DO_NOT_TRACK": "true"}


def launch_for(
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
