"""What the agent does at the same time, a thread for each: follow the registry, compile features, ship the log."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from functools import partial

import structlog

from serving.agent.folder_locks import FolderLocks
from serving.agent.metrics import AgentMetrics
from serving.agent.parts import (
    make_challenger_sync,
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
from serving.agent.records_parts import make_adoption, make_retention, make_scoring
from serving.agent.revocations import REDIS_SECONDS, SQL_SECONDS, PodRevocations
from serving.agent.shadow_parts import make_shadow, make_shadow_queue
from serving.agent.shadow_queue import ShadowQueue
from serving.proof import make_prover
from serving.revocation_file import RevocationFile
from serving.settings import Settings

SHIP_SECONDS = 0.25
KEYS_SECONDS = 0.1  # how soon a worker is heard that misses a key
RETRY_SECONDS = 2.0
JITTER = 0.2

Step = Callable[[], float]  # does a chore once, and says how long to pause then


class Chores:
    """Started as daemon threads: the one that must finish, shipping, is waited for by whoever stops them."""

    def __init__(
        self, settings: Settings, metrics: AgentMetrics, pulse: Pulse, stop: threading.Event
    ) -> None:
        self._settings, self._metrics, self._pulse, self._stop = settings, metrics, pulse, stop
        self._locks = FolderLocks()
        # For all that try versions: the container has memory for one trial.
        self._prover = make_prover(settings)
        self._sampled = make_shadow_queue(settings, metrics)

    def start(self) -> threading.Thread:
        """Returns the thread that ships: it ends after its last step."""
        if needs_registry(self._settings):
            self._thread("follow", partial(self.keep_going, "follow", self._following))
        if needs_registry(self._settings) and self._settings.challenged:
            self._thread("challengers", partial(self.keep_going, "challengers", self._following_challengers))
        if views_to_compile(self._settings):
            self._thread("features", partial(self.keep_going, "features", self._compiling))
        if self._settings.auth_policy_file is not None:
            self._thread("keys", partial(self.keep_going, "keys", self._fetching))
        pod = PodRevocations(RevocationFile(self._settings.model_store_dir))
        in_sql, in_redis = partial(self._reading_sql, pod), partial(self._reading_redis, pod)
        self._thread("revocations", partial(self.keep_going, "revocations", in_sql))
        if self._settings.redis_url is not None:
            self._thread("revocations-redis", partial(self.keep_going, "revocations-redis", in_redis))
        if self._sampled is not None:
            make = partial(self._shadowing, self._sampled)
            self._thread("shadow", partial(self.keep_going, "shadow", make))
        if self._settings.spool_handoff_url:
            self._thread("handoff", partial(self.keep_going, "handoff", self._adopting))
        self._thread("feedback", partial(self.keep_going, "feedback", self._scoring))
        self._thread("retention", partial(self.keep_going, "retention", self._forgetting))
        return self._thread("ship", self._ship)

    def keep_going(self, chore: str, make: Callable[[], Step]) -> Step | None:
        """Steps until the agent is told to stop, whatever `make` or a step raises: that is told, and tried again.

        Returns what `make` made, or None where it never could.
        """
        step: Step | None = None
        while not self._stop.is_set():
            self._pulse.beat(chore)
            try:
                step = step or make()
                pause = step()
            except Exception as error:  # a thread that ends is missed by nobody
                self._failed(chore, error, started=step is not None)
                pause = RETRY_SECONDS
            self._pulse.beat(chore, pause=pause)
            self._stop.wait(pause)
        return step

    def _failed(self, chore: str, error: Exception, *, started: bool) -> None:
        self._metrics.chore_failed(chore)
        log = structlog.get_logger("slipway.agent")
        if started:
            log.error("chore failed", chore=chore, exc_info=error)
        else:  # what it needs is down
            log.warning("chore cannot start", chore=chore, reason=type(error).__name__)

    def _thread(self, name: str, work: Callable[[], object]) -> threading.Thread:
        thread = threading.Thread(target=work, name=name, daemon=True)
        thread.start()
        return thread

    def _following(self) -> Step:
        sync = make_registry_sync(self._settings, self._metrics, self._prover)
        sync.versions.locks = self._locks
        return _paced(sync.step, self._poll_seconds)

    def _following_challengers(self) -> Step:
        """A thread of its own: production does not wait for the challenger's download, at most for one trial."""
        sync = make_challenger_sync(self._settings, self._metrics, self._prover)
        sync.versions.locks = self._locks
        return _paced(sync.step, self._poll_seconds)

    def _compiling(self) -> Step:
        sync = make_feature_sync(self._settings, views_to_compile(self._settings), self._metrics)
        return _paced(sync.step, self._poll_seconds)

    def _fetching(self) -> Step:
        sets = make_key_sets(self._settings, self._metrics)
        return _paced(lambda: sets.step(partial(self._thread, "fetch")), lambda: KEYS_SECONDS)

    def _scoring(self) -> Step:
        return make_scoring(self._settings, self._metrics).step

    def _adopting(self) -> Step:
        alive = partial(self._pulse.beat, "handoff")
        adoption = make_adoption(self._settings, self._metrics, self._sampled, alive=alive)
        seconds = self._settings.spool_handoff_poll_seconds
        return _paced(adoption.step, lambda: seconds * random.uniform(1 - JITTER, 1))

    def _forgetting(self) -> Step:
        return make_retention(self._settings, self._metrics).step

    def _reading_sql(self, pod: PodRevocations) -> Step:
        turns = make_sql_turns(self._settings, pod, self._metrics)
        return _paced(turns.step, lambda: SQL_SECONDS)

    def _reading_redis(self, pod: PodRevocations) -> Step:
        turns = make_redis_turns(self._settings, pod, self._metrics)
        return _paced(turns.step, lambda: REDIS_SECONDS)

    def _shipping(self) -> Step:
        alive = partial(self._pulse.beat, "ship")
        shipper = make_shipper(self._settings, self._metrics, self._sampled, alive=alive)
        return lambda: SHIP_SECONDS if shipper.step() else RETRY_SECONDS

    def _shadowing(self, rows: ShadowQueue) -> Step:
        return make_shadow(self._settings, self._metrics, rows, self._prover).step

    def _ship(self) -> None:
        if (last := self.keep_going("ship", self._shipping)) is not None:
            last()

    def _poll_seconds(self) -> float:
        return self._settings.model_poll_seconds * random.uniform(1 - JITTER, 1)


def _paced(work: Callable[[], object], seconds: Callable[[], float]) -> Step:
    def step() -> float:
        work()
        return seconds()

    return step
