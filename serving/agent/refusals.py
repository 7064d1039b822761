"""Versions that may not serve here: told once, and not fetched again at every poll.

What differs from its digest or its signature may be repaired in place, so it is tried again after a while, each time after
a longer one. What does not fit this image's code never will.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from modelkit.errors import ContractMismatch, ServableError
from serving.agent.registry import RegisteredVersion

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 60.0, 3600.0

Key = tuple[str, RegisteredVersion]


class Refusal(NamedTuple):
    """`retry_at` is None where it is final."""

    reason: str
    pause: float
    retry_at: float | None


class Refusals:
    """By model and by all that the registry says of the version: whatever changes of it, it is another one to try."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._refused: dict[Key, Refusal] = {}

    def standing(self, model: str, version: RegisteredVersion) -> str:
        """Why the version is not to be tried now; empty when it is."""
        refusal = self._refused.get((model, version))
        if refusal is None or (refusal.retry_at is not None and self._clock() >= refusal.retry_at):
            return ""
        return refusal.reason

    def add(self, model: str, version: RegisteredVersion, error: ServableError) -> tuple[str, bool]:
        """The reason, and whether it is news."""
        reason = f"version {version.version} refused: {error}"
        before = self._refused.get((model, version))
        pause = min(before.pause * 2, LONGEST_PAUSE_SECONDS) if before else FIRST_PAUSE_SECONDS
        final = isinstance(error, ContractMismatch)
        retry_at = None if final else self._clock() + pause
        self._refused[model, version] = Refusal(reason, pause, retry_at)
        return reason, before is None or before.reason != reason

    def forget(self, model: str, version: RegisteredVersion) -> None:
        self._refused.pop((model, version), None)
