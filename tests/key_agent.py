"""The agent's chore of keys beside a test: the policy, a model store, and the real questions to real providers."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from auth.audit import no_audit
from auth.policy import PolicyFile
from serving.agent.key_schedule import Pace
from serving.agent.key_sets import KeySets, Told
from serving.identity_folder import IdentityFolder

STEP_SECONDS = 0.02


class KeyAgent:
    """Runs from `with` until its end, as the agent's thread does."""

    def __init__(self, policy: Path, store: Path, *, refresh_seconds: float = 300.0) -> None:
        self.results: list[tuple[str, str]] = []
        self._stop = threading.Event()
        file = PolicyFile(policy, audience="slipway", own_issuer="slipway")
        pace = Pace(refresh_seconds=refresh_seconds, cooldown_seconds=30.0)
        told = Told(counted=lambda *fetch: self.results.append(fetch), audit=no_audit)
        self._sets = KeySets(file, IdentityFolder(store), pace, told=told)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._sets.step()
            self._stop.wait(STEP_SECONDS)

    def wait_for(self, issuer: str, result: str = "ok", *, count: int = 1) -> None:
        give_up_at = time.monotonic() + 20
        while self.results.count((issuer, result)) < count:
            assert time.monotonic() < give_up_at, self.results
            time.sleep(STEP_SECONDS)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(20)
