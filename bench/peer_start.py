"""Starting a peer: its environment, its command, and the format in which it takes a row."""

from __future__ import annotations

import subprocess
from pathlib import Path

from bench.bodies import template
from bench.contestants import FLOOR, MLFLOW, Contestant
from bench.environments import ensure_environment
from bench.errors import BenchError
from bench.launching import Site, Start, bentoml_environment, launch_for
from bench.load import Target
from bench.servers import free_port
from bench.tokens import bearer_token


def contestant_start(site: Site, contestant: Contestant, *, answer_bytes: int) -> Start:
    """A peer. `answer_bytes` is the size of Slipway's answer, which the floor imitates."""
    settings, port = site.settings, free_port()
    folder, bin_folder = settings.peers / contestant.peer, ensure_environment(settings, contestant.peer)
    environment = settings.inherited | _peer_environment(site, contestant, port=port, bin_folder=bin_folder)
    environment["ANSWER_BYTES"] = str(answer_bytes)
    saved = saved_model(site, bin_folder, environment) if contestant is MLFLOW else Path()
    command = [part.format(port=port, saved=saved) for part in contestant.command]
    launch = launch_for(site, contestant.name, command=command, environment=environment, folder=folder)
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
        **bentoml_environment(site, contestant.name),
    }
