"""What the agent does at the same time, a thread for each: follow the registry, compile features, ship the log."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import structlog

from serving.agent.metrics import AgentMetrics
from serving.agent.parts import (
    make_feature_sync,
    make_key_sets,
    make_redis_turns,
    make_registry_sync,
    make_shipper,
    make_sql_turns,
    needs_registry,
    views_to_compile,
)
from serving.agent.pulse import Pulse
from serving.agent.revocations import REDIS_SECONDS, SQL_SECONDS, PodRevocations
from serving.revocation_file import RevocationFile
from serving.settings import Settings

SHIP_SECONDS = 0.25
KEYS_SECONDS = 0.1  # how soon a worker is heard that misses a key
RETRY_SECONDS = 2.0
JITTER = 0.2

T = TypeVar("T")


class Chores:
    """Started as daemon threads: the one that must finish, shipping, is waited for by whoever stops them."""

    def __init__(
        self, settings: Settings, metrics: AgentMetrics, pulse: Pulse, stop: threading.Event
    ) -> None:
        self._settings, self._metrics, self._pulse, self._stop = settings, metrics, pulse, stop

    def start(self) -> threading.Thread:
        """Returns the thread that ships: it ends after its last step."""
        if needs_registry(self._settings):
            self._thread("follow", self._follow)
        if views_to_compile(self._settings):
            self._thread("features", self._compile_features)
        if self._settings.auth_policy_file is not None:
            self._thread("keys", self._fetch_keys)
        pod = PodRevocations(RevocationFile(self._settings.model_store_dir))
        self._thread("revocations", partial(self._read_revoked_in_sql, pod))
        if self._settings.redis_url is not None:
            self._thread("revocations-redis", partial(self._read_revoked_in_redis, pod))
        return self._thread("ship", self._ship)

    def _thread(self, name: str, work: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=work, name=name, daemon=True)
        thread.start()
        return thread

    def _follow(self) -> None:
        sync = self._made("follow", lambda: make_registry_sync(self._settings, self._metrics))
        while sync is not None and not self._stop.is_set():
            self._pulse.beat("follow")
            sync.step()
            self._pause("follow", self._poll_seconds())

    def _compile_features(self) -> None:
        views = views_to_compile(self._settings)
        sync = self._made("features", lambda: make_feature_sync(self._settings, views, self._metrics))
        while sync is not None and not self._stop.is_set():
            self._pulse.beat("features")
            sync.step()
            self._pause("features", self._poll_seconds())

    def _fetch_keys(self) -> None:
        sets = self._made("keys", lambda: make_key_sets(self._settings, self._metrics))
        while sets is not None and not self._stop.is_set():
            self._pulse.beat("keys")
            sets.step(lambda fetch: self._thread("fetch", fetch))
            self._pause("keys", KEYS_SECONDS)

    def _read_revoked_in_sql(self, pod: PodRevocations) -> None:
        chore = "revocations"
        turns = self._made(chore, lambda: make_sql_turns(self._settings, pod, self._metrics))
        while turns is not None and not self._stop.is_set():
            self._pulse.beat(chore)
            turns.step()
            self._pause(chore, SQL_SECONDS)

    def _read_revoked_in_redis(self, pod: PodRevocations) -> None:
        chore = "revocations-redis"
        turns = self._made(chore, lambda: make_redis_turns(self._settings, pod, self._metrics))
        while turns is not None and not self._stop.is_set():
            self._pulse.beat(chore)
            turns.step()
            self._pause(chore, REDIS_SECONDS)

    def _ship(self) -> None:
        shipper = self._made("ship", lambda: make_shipper(self._settings, self._metrics))
        while shipper is not None and not self._stop.is_set():
            self._pulse.beat("ship")
            self._pause("ship", SHIP_SECONDS if shipper.step() else RETRY_SECONDS)
        if shipper is not None:
            shipper.step()

    def _made(self, chore: str, make: Callable[[], T]) -> T | None:
        """Repeats `make` until it succeeds; None when the agent is told to stop first."""
        while not self._stop.is_set():
            self._pulse.beat(chore)
            try:
                return make()
            except Exception as error:  # a dependency that is down must not end the other threads' work
                structlog.get_logger("slipway.agent").warning(
                    "chore cannot start", chore=chore, reason=type(error).__name__
                )
                self._pause(chore, RETRY_SECONDS)
        return None

    def _pause(self, chore: str, seconds: float) -> None:
        self._pulse.beat(chore, pause=seconds)
        self._stop.wait(seconds)

    def _poll_seconds(self) -> float:
        return self._settings.model_poll_seconds * random.uniform(1 - JITTER, 1)
