"""`python -m serving.agent --once`: fills the store before a pod's first request, and says what it could not get.

For an init container: it ships nothing, and leaves the store to the agent that comes after it.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import Protocol

from modelkit.errors import ServableError
from modelkit.servable import MANIFEST
from serving.agent.metrics import AgentMetrics
from serving.agent.parts import make_feature_sync, make_registry_sync, needs_registry, views_to_compile
from serving.agent.store_lock import StoreLock
from serving.feature_snapshot import SnapshotStore
from serving.model_path import ModelPath
from serving.proof import Asked, ProverFailed, make_prover
from serving.served_models import model_store, served_models
from serving.settings import Settings

LOOK_SECONDS = 0.2
RETRY_SECONDS = 1.0


class Sync(Protocol):
    """RegistrySync and FeatureSync."""

    troubles: dict[str, str]

    def step(self) -> None: ...


class Filling:
    """Works in threads, because a registry that hangs must not hold up the end; while another agent holds the store's
    lock, this one only waits for what that one brings."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._metrics = settings, AgentMetrics()
        self._definitions, self._views = served_models(settings), views_to_compile(settings)
        self._models, self._snapshots = model_store(settings), SnapshotStore(settings.model_store_dir)
        self._prover = make_prover(settings)
        self._lock = StoreLock(settings.model_store_dir)
        self._troubles: dict[str, str] = {}

    def run(self, timeout_seconds: float, stop: threading.Event) -> int:
        """The exit code: 0 when everything that is served is in the store, or can be served without it."""
        self._start(stop)
        give_up_at = time.monotonic() + timeout_seconds
        while self.missing() and time.monotonic() < give_up_at and not stop.is_set():
            stop.wait(LOOK_SECONDS)
        stop.set()
        missing = self.missing()
        fatal = [name for name in missing if not self._has_baked(name)]
        for name, reason in missing.items():
            ending = "" if name in fatal else "; the copy of MODEL_PATH will serve"
            sys.stderr.write(f"{name}: {reason}{ending}\n")
        return 1 if fatal else 0

    def missing(self) -> dict[str, str]:
        """What is not in the store, with the reason."""
        names = [name for name in self._definitions if not self._is_stored(name)]
        views = [view for view in self._views if self._snapshots.read_pointer(view) is None]
        reasons = {name: self._troubles.get(name) or "not fetched in time" for name in names}
        found = {view: self._troubles.get(view) or "not compiled in time" for view in views}
        return reasons | {f"features {view}": reason for view, reason in found.items()}

    def _is_stored(self, name: str) -> bool:
        if self._models is None:
            return True
        pointer = self._models.read_pointer(name)
        return (
            pointer is not None and (self._models.version_folder(name, pointer.version) / MANIFEST).is_file()
        )

    def _has_baked(self, name: str) -> bool:
        path = self._settings.model_path
        folder = ModelPath(path).folder(name) if path is not None and name in self._definitions else None
        if folder is None:
            return False
        try:
            self._prover.prove(Asked(model=name, folder=str(folder.resolve())))
        except (ServableError, ProverFailed):
            return False
        finally:
            self._prover.rest()
        return True

    def _start(self, stop: threading.Event) -> None:
        settings, metrics = self._settings, self._metrics
        if needs_registry(settings):
            names = list(self._definitions)
            self._thread(
                lambda: make_registry_sync(settings, metrics, self._prover), names, "the registry", stop
            )
        if self._views:
            views = self._views
            make = lambda: make_feature_sync(settings, views, metrics)  # noqa: E731
            self._thread(make, list(views), "FEATURES_URL", stop)

    def _thread(self, make: Callable[[], Sync], names: list[str], source: str, stop: threading.Event) -> None:
        def work() -> None:
            sync: Sync | None = None
            while self._lock.wait(stop):
                try:
                    sync = sync or make()
                    sync.step()
                    self._troubles.update(sync.troubles)
                except Exception as error:
                    self._troubles |= dict.fromkeys(
                        names, f"{source} cannot be opened ({type(error).__name__})"
                    )
                stop.wait(RETRY_SECONDS)

        threading.Thread(target=work, daemon=True).start()
