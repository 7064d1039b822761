"""Keeps other issuers' public keys in the pod: fetched now and then, at once when a worker misses one, never given up.

A provider that is down costs nothing but age: what was fetched last stays on disk, for this life and the next.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import structlog

from auth.audit import Audit
from auth.jwk_sets import JwkSet
from auth.policy import ExternalIssuer, PolicyFile
from serving.agent.key_fetch import KeysRefused, fetch_keys
from serving.identity_folder import IdentityFolder, StoredKeys

JITTER = 0.2
FIRST_RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 60.0


class FetchCount(Protocol):
    """Port: hears of every fetch: `ok`, `refused` or `error`."""

    def __call__(self, issuer: str, result: str) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Told:
    """Who hears of what happens: `audit` of other keys only."""

    counted: FetchCount
    audit: Audit


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How often an issuer is asked, and by which clock."""

    refresh_seconds: float
    cooldown_seconds: float
    clock: Callable[[], float] = time.monotonic


class _Turn:
    """One issuer's place in the schedule. Times are those of the pace's clock."""

    def __init__(self, source: str, age: float | None, pace: Pace) -> None:
        self.source, now = source, pace.clock()
        # Keys that are fresh on disk from an earlier life need no question before their time.
        self.due = now if age is None else now + max(0.0, pace.refresh_seconds - age) * random.uniform(0, 1)
        self.wish_seen = 0
        self.wish_heard = now - pace.cooldown_seconds
        self.failures = 0
        self.running = False


class KeySets:
    """One `step` looks at who is due. `start` runs a fetch beside the others: one at a time per issuer, so that none
    waits for another.
    """

    def __init__(
        self,
        policy: PolicyFile,
        folder: IdentityFolder,
        pace: Pace,
        *,
        told: Told,
        fetch: Callable[[ExternalIssuer], JwkSet] = fetch_keys,
    ) -> None:
        self._policy, self._folder, self._pace = policy, folder, pace
        self._told, self._fetch = told, fetch
        self._turns: dict[str, _Turn] = {}
        self._known: set[str] | None = None
        self._log = structlog.get_logger("slipway.agent")

    def step(self, start: Callable[[Callable[[], None]], object] | None = None) -> None:
        """Without `start`, the fetches run here, one after the other."""
        issuers = self._policy.current().issuers
        names = {issuer.name for issuer in issuers}
        if names != self._known:
            self._known = names
            self._folder.forget_all_but(names)
        self._turns = {name: turn for name, turn in self._turns.items() if name in names}
        for issuer in issuers:
            turn = self._turn(issuer)
            if not turn.running and self._is_due(issuer, turn):
                turn.running = True
                (start or _here)(partial(self._refresh, issuer, turn))

    def _turn(self, issuer: ExternalIssuer) -> _Turn:
        turn = self._turns.get(issuer.name)
        if turn is None or turn.source != issuer.key_source:
            turn = _Turn(issuer.key_source, self._age(issuer), self._pace)
            turn.wish_seen = self._folder.wanted_stamp(issuer.name)
            self._turns[issuer.name] = turn
        return turn

    def _age(self, issuer: ExternalIssuer) -> float | None:
        stored = self._stored(issuer)
        return None if stored is None else max(0.0, time.time() - stored.fetched_at)

    def _stored(self, issuer: ExternalIssuer) -> StoredKeys | None:
        try:
            return self._folder.read_keys(issuer)
        except (OSError, ValueError):
            return None

    def _is_due(self, issuer: ExternalIssuer, turn: _Turn) -> bool:
        now = self._pace.clock()
        if now >= turn.due:
            return True
        wish = self._folder.wanted_stamp(issuer.name)
        if wish == turn.wish_seen or now - turn.wish_heard < self._pace.cooldown_seconds:
            return False
        turn.wish_heard = now
        return True

    def _refresh(self, issuer: ExternalIssuer, turn: _Turn) -> None:
        # Noted before the question: who wants newer keys than those of this answer will be heard after it.
        wish = self._folder.wanted_stamp(issuer.name)
        try:
            self._keep(issuer, self._fetch(issuer))
            result, reason = "ok", ""
        except KeysRefused as error:
            result, reason = "refused", str(error)
        except Exception as error:  # a provider that is down must not end the following of the others
            result, reason = "error", type(error).__name__
        turn.wish_seen = wish
        self._plan(turn, failed=result != "ok")
        self._told.counted(issuer.name, result)
        if reason:
            self._log.warning("keys not fetched", issuer=issuer.name, result=result, reason=reason)
        turn.running = False

    def _keep(self, issuer: ExternalIssuer, keys: JwkSet) -> None:
        before = self._stored(issuer)
        self._folder.write_keys(issuer, keys, fetched_at=time.time())
        if before is None or before.keys != keys.to_members():
            kids = ",".join(key.kid for key in keys.keys)
            self._told.audit("keys.changed", issuer=issuer.name, kids=kids)

    def _plan(self, turn: _Turn, *, failed: bool) -> None:
        turn.failures = turn.failures + 1 if failed else 0
        pause = self._pace.refresh_seconds
        if failed:
            pause = min(pause, LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2.0 ** min(turn.failures - 1, 10))
        turn.due = self._pace.clock() + pause * random.uniform(1 - JITTER, 1)


def _here(work: Callable[[], None]) -> None:
    work()
