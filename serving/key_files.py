"""A worker's view of other issuers' keys: follows what the agent fetched, and asks for newer ones, within bounds.

A token with an unknown key costs one look at its header and, at most once per cooldown, one touched file. Right after
that a few requests may wait a moment for the fresh set, so that the first token of a new key is accepted at once.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import structlog

from auth.external_tokens import KeyRing
from auth.issuer_choice import ExternalIssuers
from auth.policy import ExternalIssuer, PolicyFile
from serving.identity_folder import IdentityFolder
from serving.identity_metrics import IdentityMetrics

LOOK_SECONDS = 0.25
WAIT_SECONDS = 1.0
WAIT_STEP_SECONDS = 0.05
MAX_WAITING = 16


@dataclass(frozen=True, kw_only=True)
class _Wish:
    """When newer keys were asked for: `asked_at` by the monotonic clock, `moment` since the epoch."""

    asked_at: float
    moment: float


class KeyFiles:
    """`first` are the issuers that were there at the start: without their keys nobody is let in. Those that a later
    edition of the policy adds do not take a worker out that serves already.
    """

    def __init__(
        self,
        folder: IdentityFolder,
        issuers: ExternalIssuers,
        policy: PolicyFile,
        metrics: IdentityMetrics,
        *,
        cooldown_seconds: float,
    ) -> None:
        self._folder, self._issuers, self._policy, self._metrics = folder, issuers, policy, metrics
        self._cooldown = cooldown_seconds
        self._seen: dict[str, tuple[KeyRing, int]] = {}
        self._fetched: dict[str, float] = {}
        self._wanted: dict[str, _Wish] = {}
        self._waiting = 0
        self._missing = {issuer.name for issuer in policy.current().issuers}
        self._log = structlog.get_logger("slipway.service")
        self.look()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self.look()
            self._tell_ages()
            await asyncio.sleep(LOOK_SECONDS)

    def look(self) -> None:
        """Takes over what has changed in the folder."""
        issuers = self._policy.current().issuers
        self._issuers.by_iss()
        changed = [self._take(issuer) for issuer in issuers if issuer.name in self._issuers.rings]
        if any(changed):
            self._issuers.keys_changed()
        names = {issuer.name for issuer in issuers}
        self._missing &= {name for name in names if not self._has_keys(name)}

    def unready(self) -> str:
        return f"keys of {', '.join(sorted(self._missing))}" if self._missing else ""

    async def fresh(self, name: str) -> bool:
        """Asks for newer keys of an issuer; whether others came while the caller waited."""
        before = self._issuers.generation()
        self.look()
        if self._issuers.generation() == before and self._ask(name) and self._waiting < MAX_WAITING:
            await self._wait(name)
        return self._issuers.generation() != before

    async def _wait(self, name: str) -> None:
        """Until the keys were fetched after somebody asked for them, or for as long as a caller waits."""
        give_up_at = time.monotonic() + WAIT_SECONDS
        self._waiting += 1
        try:
            while time.monotonic() < give_up_at and self._fetched.get(name, 0.0) < self._wanted[name].moment:
                await asyncio.sleep(WAIT_STEP_SECONDS)
                self.look()
        finally:
            self._waiting -= 1

    def _ask(self, name: str) -> bool:
        """Whether a fetch has just been asked for, by this request or one shortly before it."""
        now, last = time.monotonic(), self._wanted.get(name)
        if last is None or now - last.asked_at >= self._cooldown:
            last = self._wanted[name] = _Wish(asked_at=now, moment=time.time())
            self._folder.want(name)
        return now - last.asked_at < WAIT_SECONDS

    def _take(self, issuer: ExternalIssuer) -> bool:
        """Whether the issuer's keys are others now."""
        ring, stamp = self._issuers.rings[issuer.name], self._folder.keys_stamp(issuer)
        seen_ring, seen_stamp = self._seen.get(issuer.name, (None, 0))
        if not stamp or (seen_ring is ring and seen_stamp == stamp):
            return False
        self._seen[issuer.name] = ring, stamp
        try:
            stored = self._folder.read_keys(issuer)
            keys = stored.jwk_set if stored is not None else None
        except (OSError, ValueError) as error:
            self._log.error("keys cannot be read", issuer=issuer.name, reason=type(error).__name__)
            return False
        if stored is None or keys is None:
            return False
        self._fetched[issuer.name] = stored.fetched_at
        return ring.replace(keys)

    def _has_keys(self, name: str) -> bool:
        ring = self._issuers.rings.get(name)
        return ring is not None and ring.keys is not None

    def _tell_ages(self) -> None:
        """Processes that share a registry cannot take a label back: whoever is believed no more has the age 0, and no alert."""
        believed = {issuer.name for issuer in self._policy.current().issuers}
        for name, fetched_at in self._fetched.items():
            age = max(0.0, time.time() - fetched_at) if name in believed else 0.0
            self._metrics.issuer_keys_age.labels(name).set(age)
