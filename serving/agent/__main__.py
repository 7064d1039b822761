"""`python -m serving.agent`: the agent as a program, a worker's child on a laptop and a sidecar in a cluster.

It holds the store's lock, so that there is one; it ends on SIGTERM, or when its standard input closes because the
worker that started it is gone, after shipping what is left.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import random
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar

import structlog

from modelkit.feature_url import FeatureHome
from serving.agent.metrics import AgentMetrics
from serving.agent.shipper import Shipper
from serving.agent.sync import RegistrySync
from serving.logs import configure_logs
from serving.settings import Environment, ModelSource, Settings

if TYPE_CHECKING:
    from modelkit.definition import FeatureView
    from serving.agent.features import FeatureSync

SHIP_SECONDS = 0.25
RETRY_SECONDS = 2.0
LOCK_RETRY_SECONDS = 0.2
JITTER = 0.2

T = TypeVar("T")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--child", action="store_true", help="end when standard input closes")
    child = arguments.parse_args().child
    settings = Settings()
    configure_logs(settings.log_level)
    stop = threading.Event()
    if child:  # a child ignores the signals from birth (`serving.agent_process`)
        threading.Thread(target=_stop_at_end_of_input, args=(stop,), daemon=True).start()
    else:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
    lock = _wait_for_lock(settings.model_store_dir / "agent.lock", stop)
    if lock is not None:
        _run(settings, stop)


def _run(settings: Settings, stop: threading.Event) -> None:
    metrics = AgentMetrics()
    _serve_metrics(metrics, settings.api_host, settings.agent_metrics_port)
    ship = threading.Thread(target=_ship, args=(settings, metrics, stop), name="ship")
    ship.start()
    if settings.model_source is ModelSource.FOLLOW:
        threading.Thread(target=_follow, args=(settings, metrics, stop), name="follow", daemon=True).start()
    if settings.feature_home is not FeatureHome.REDIS:  # workers ask that one themselves
        threading.Thread(
            target=_compile_features, args=(settings, metrics, stop), name="features", daemon=True
        ).start()
    stop.wait()
    ship.join()


def _follow(settings: Settings, metrics: AgentMetrics, stop: threading.Event) -> None:
    sync = _until_it_works(lambda: _make_sync(settings, metrics), stop, "registry client failed")
    while sync is not None and not stop.is_set():
        sync.step()
        stop.wait(settings.model_poll_seconds * random.uniform(1 - JITTER, 1))


def _make_sync(settings: Settings, metrics: AgentMetrics) -> RegistrySync:
    from serving.agent.registry import MlflowRegistry
    from serving.model_store import ModelStore
    from serving.served_models import served_models

    store = ModelStore(settings.model_store_dir, settings.model_alias)
    return RegistrySync(MlflowRegistry(settings.mlflow_tracking_uri), store, served_models(settings), metrics)


def _compile_features(settings: Settings, metrics: AgentMetrics, stop: threading.Event) -> None:
    from serving.served_models import served_models, views_of

    views = views_of(served_models(settings))
    sync = _until_it_works(
        lambda: _make_feature_sync(settings, views, metrics), stop, "features cannot be opened"
    )
    while views and sync is not None and not stop.is_set():
        sync.step()
        stop.wait(settings.model_poll_seconds * random.uniform(1 - JITTER, 1))


def _make_feature_sync(
    settings: Settings, views: Mapping[str, FeatureView], metrics: AgentMetrics
) -> FeatureSync:
    from serving.agent.feature_origins import ParquetFolder, SqlTables
    from serving.agent.features import FeatureSync
    from serving.feature_snapshot import SnapshotStore

    url, store = settings.features_url.get_secret_value(), SnapshotStore(settings.model_store_dir)
    if settings.feature_home is FeatureHome.FOLDER:
        return FeatureSync(ParquetFolder(Path(url)), store, views, metrics)
    from records.engine import open_engine

    return FeatureSync(SqlTables(open_engine(url)), store, views, metrics)


def _ship(settings: Settings, metrics: AgentMetrics, stop: threading.Event) -> None:
    shipper = _until_it_works(
        lambda: _make_shipper(settings, metrics), stop, "prediction log cannot be opened"
    )
    while shipper is not None and not stop.is_set():
        stop.wait(SHIP_SECONDS if shipper.step() else RETRY_SECONDS)
    if shipper is not None:
        shipper.step()


def _make_shipper(settings: Settings, metrics: AgentMetrics) -> Shipper:
    from records.engine import open_engine
    from records.migrate import upgrade
    from serving.agent.prediction_table import SqlPredictionTable
    from serving.agent.segments import SegmentFolder

    url = settings.database_url.get_secret_value()
    if settings.slipway_env is Environment.DEV:  # elsewhere migrations are a deployment step of their own
        upgrade(url)
    return Shipper(SegmentFolder(settings.spool_dir), SqlPredictionTable(open_engine(url)), metrics)


def _until_it_works(make: Callable[[], T], stop: threading.Event, failure: str) -> T | None:
    """Repeats `make` until it succeeds; None when the agent is told to stop first."""
    while not stop.is_set():
        try:
            return make()
        except Exception as error:  # a dependency that is down must not end the other thread's work
            structlog.get_logger("slipway.agent").warning(failure, reason=type(error).__name__)
            stop.wait(RETRY_SECONDS)
    return None


def _serve_metrics(metrics: AgentMetrics, host: str, port: int) -> None:
    try:
        metrics.serve(host, port)
    except OSError as error:
        structlog.get_logger("slipway.agent").warning("no metrics port", port=port, reason=str(error))


def _wait_for_lock(path: Path, stop: threading.Event) -> IO[str] | None:
    """The store's lock, once its holder is gone; None when told to stop first. It is free again when we exit."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.open("w")
    while not stop.is_set():
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stop.wait(LOCK_RETRY_SECONDS)
        else:
            return lock
    return None


def _stop_at_end_of_input(stop: threading.Event) -> None:
    while os.read(sys.stdin.fileno(), 4096):  # unbuffered: a buffered reader holds a lock that exit needs
        pass
    stop.set()


if __name__ == "__main__":
    main()
