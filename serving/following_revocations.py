"""A worker's view of what is revoked: follows the file of its pod's agent, and says how old that is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import structlog

from auth.revocations import Revocations
from modelkit.errors import IdentityUnavailable
from serving.identity_metrics import IdentityMetrics
from serving.revocation_file import RevocationFile

LOOK_SECONDS = 0.25
STALE_SECONDS = 60.0
NANO = 1e-9


class RevocationFollower:
    """Ready with the first list that is there, or after `life_seconds`: by then whatever was revoked before this
    worker started has expired. `clock` is seconds since the epoch, `uptime` never goes back.
    """

    def __init__(
        self,
        file: RevocationFile,
        revocations: Revocations,
        *,
        life_seconds: float,
        clock: Callable[[], float] = time.time,
        uptime: Callable[[], float] = time.monotonic,
    ) -> None:
        self._file, self._revocations = file, revocations
        self._clock, self._uptime = clock, uptime
        self._started, self._ready_by = uptime(), uptime() + life_seconds
        self._stamp: tuple[int, int, int] | None = None
        self._document: bytes | None = None
        self._right_at: float | None = None
        self._heard_at = self._started
        self.look()

    async def run(self, metrics: IdentityMetrics) -> None:
        """Until cancelled."""
        while True:
            self.look()
            metrics.revocations_age.set(self.age)
            metrics.revocations.set(self._revocations.count)
            await asyncio.sleep(LOOK_SECONDS)

    def look(self) -> None:
        self._revocations.settle()
        try:
            stamp = self._file.stamp()
            if stamp is None or stamp == self._stamp:
                return
            self._take(self._file.read_bytes())
        except (OSError, ValueError) as error:  # the last good list stays
            structlog.get_logger("slipway.service").error(
                "revocations cannot be read", reason=type(error).__name__
            )
            return
        self._stamp, self._right_at, self._heard_at = stamp, stamp[2] * NANO, self._uptime()

    def _take(self, document: bytes) -> None:
        if document != self._document:
            self._revocations.replace(self._file.parse(document))
            self._document = document

    @property
    def age(self) -> float:
        """Seconds since the list was last known to be right; since the start where there never was one."""
        if self._right_at is None:
            return self._uptime() - self._started
        # By both clocks: one that was set back would call an old list fresh, and uptime knows nothing of before our start.
        return max(0.0, self._clock() - self._right_at, self._uptime() - self._heard_at)

    def unready(self) -> str:
        if self._right_at is not None or self._uptime() >= self._ready_by:
            return ""
        return "revocations of tokens, which this pod's agent brings"

    def refuse_if_stale(self) -> None:
        """For what only administrators may do: with an old list, one who is none any more would pass."""
        if self.age > STALE_SECONDS:
            raise IdentityUnavailable("revocations are not known to be complete")
