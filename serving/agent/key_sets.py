"""Keeps other issuers' public keys in the pod: fetched now and then, at once when a worker misses one, never given up.

A provider that is down costs nothing but age: what was fetched last stays on disk, for this life and the next.
"""

from __future__ import annotations

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
from serving.agent.key_schedule import Pace, Turn
from serving.identity_folder import IdentityFolder, StoredKeys

FORGET_SECONDS = 86_400.0  # how long the keys of an issuer are kept that has left the policy


class FetchCount(Protocol):
    """Port: hears of every fetch: `ok`, `refused` or `error`."""

    def __call__(self, issuer: str, result: str) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Told:
    """Who hears of what happens: `audit` of other keys only."""

    counted: FetchCount
    audit: Audit


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
        self._turns: dict[str, Turn] = {}
        self._tidy_at = pace.clock()
        self._log = structlog.get_logger("slipway.agent")

    def step(self, start: Callable[[Callable[[], None]], object] | None = None) -> None:
        """Without `start`, the fetches run here, one after the other."""
        issuers = self._policy.current().issuers
        names = {issuer.name for issuer in issuers}
        self._tidy(names)
        self._turns = {name: turn for name, turn in self._turns.items() if name in names}
        for issuer in issuers:
            turn, wish = self._turn(issuer), self._folder.wanted_stamp(issuer.name)
            if turn.is_due(wish):
                turn.running = True
                try:
                    (start or _here)(partial(self._refresh, issuer, turn))
                except BaseException:  # no thread is to be had: nobody else would end the turn
                    turn.done(ok=False, wish=wish)
                    raise

    def _tidy(self, names: set[str]) -> None:
        """Not at once: a policy that is emptied, or written in two steps, is soon followed by another."""
        now = self._pace.clock()
        if now >= self._tidy_at:
            self._tidy_at = now + self._pace.refresh_seconds
            self._folder.forget_all_but(names, older_than=FORGET_SECONDS)

    def _turn(self, issuer: ExternalIssuer) -> Turn:
        turn = self._turns.get(issuer.name)
        if turn is None or turn.source != issuer.key_source:
            wish = self._folder.wanted_stamp(issuer.name)
            turn = Turn(issuer.key_source, self._pace, age=self._age(issuer), wish=wish)
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

    def _refresh(self, issuer: ExternalIssuer, turn: Turn) -> None:
        wish, result = self._folder.wanted_stamp(issuer.name), "error"
        try:
            result = self._asked(issuer, turn)
            self._told.counted(issuer.name, result)
        finally:
            turn.done(ok=result == "ok", wish=wish)

    def _asked(self, issuer: ExternalIssuer, turn: Turn) -> str:
        try:
            keys = self._fetch(issuer)
            if (
                self._turns.get(issuer.name) is turn
            ):  # else the policy has moved or dropped the issuer meanwhile
                self._keep(issuer, keys)
        except KeysRefused as error:
            return self._said(issuer, "refused", str(error))
        except Exception as error:  # a provider that is down must not end the following of the others
            return self._said(issuer, "error", type(error).__name__)
        return "ok"

    def _said(self, issuer: ExternalIssuer, result: str, reason: str) -> str:
        self._log.warning("keys not fetched", issuer=issuer.name, result=result, reason=reason)
        return result

    def _keep(self, issuer: ExternalIssuer, keys: JwkSet) -> None:
        before = self._stored(issuer)
        self._folder.write_keys(issuer, keys, fetched_at=time.time())
        if before is None or before.keys != keys.to_members():
            kids = ",".join(key.kid for key in keys.keys)
            self._told.audit("keys.changed", issuer=issuer.name, kids=kids)


def _here(work: Callable[[], None]) -> None:
    work()
