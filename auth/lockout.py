"""Back-off for those who guess passwords, by account and by address, counted over all replicas.

Three things may be counted: an account, an address, and a known pair of both, which is an account at an address that it
logged in from lately. A known pair waits for its own failures only: strangers cannot lock an owner out.
What is asked costs the same whether there is such an account or not: the answer's time must not tell.
Clients are not counted at all: their secrets are random, guessing is hopeless, and nobody shall lock a program out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Protocol

from modelkit.errors import RateLimited
from records.account_keys import account_key, pair_prefix

FREE_BY_ACCOUNT = 5
FREE_BY_ADDRESS = 30  # many people share one
FIRST_WAIT_SECONDS = 5.0
MAX_WAIT_SECONDS = 900.0
FORGOTTEN_AFTER_SECONDS = 3600.0
KNOWN_FOR_SECONDS = 30 * 86_400.0
REMEMBERED_EVERY_SECONDS = 86_400.0
CLOCKS_DIFFER_SECONDS = 60.0
IPV6_PREFIX = 64  # what one subscriber has


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """How many in a row, and when the last one was, in seconds since the epoch."""

    count: int
    last: float


class FailureStore(Protocol):
    """Port: where failures are counted. Every method raises IdentityUnavailable when it cannot be reached."""

    def read(self, keys: Sequence[str]) -> Mapping[str, Failures]: ...

    def count(self, keys: Sequence[str], *, now: float, since: float, until: float) -> None:
        """One more for each; what was last counted before `since` or after `until` starts again at one."""

    def replace(self, key: str, old: Failures, new: Failures) -> bool:
        """Whether it was still `old`."""

    def clear(self, keys: Sequence[str]) -> None: ...

    def last_login(self, pair: str) -> float | None:
        """When this account last logged in at this address, as far as it was remembered. One look-up by key."""

    def remember(self, pair: str, *, now: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Claim:
    """The one attempt that a locked key allows after its wait: counted before it is made."""

    key: str
    before: Failures
    after: Failures


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A login that may be tried; says afterwards how it went.

    `home` is the pair to be remembered; empty where it is remembered, or where there is no address.
    """

    store: FailureStore
    counted: Sequence[str]
    proved: Sequence[str]
    claims: Sequence[Claim]
    home: str
    now: float

    def failed(self) -> None:
        claimed = {claim.key for claim in self.claims}
        if keys := [key for key in self.counted if key not in claimed]:
            since, until = self.now - FORGOTTEN_AFTER_SECONDS, self.now + CLOCKS_DIFFER_SECONDS
            self.store.count(keys, now=self.now, since=since, until=until)

    def succeeded(self) -> None:
        """An address stays counted: its user may have an account of his own among those that he guesses at."""
        if self.proved:
            self.store.clear(self.proved)
        give_back([claim for claim in self.claims if claim.key not in self.proved], self.store)
        if self.home:
            self.store.remember(self.home, now=self.now)


class Lockout:
    def __init__(self, store: FailureStore, *, clock: Callable[[], float]) -> None:
        self._store, self._clock = store, clock

    def admit(self, *, username: str, address: str) -> Attempt:
        """Raises RateLimited with the time to wait, for users who do not exist, too."""
        now, network = self._clock(), network_of(address)
        addresses = [f"address:{network}"] if network else []
        pair = f"{pair_prefix(username)}{network}" if network else ""
        last_login = self._store.last_login(pair) if pair else None
        known = last_login is not None and last_login >= now - KNOWN_FOR_SECONDS
        fresh = last_login is not None and last_login >= now - REMEMBERED_EVERY_SECONDS
        own = pair if known else account_key(username)
        found = self._store.read([own] if known else [own, *addresses])
        self._refuse_waiting(found, now)
        claims = self._claim(found, now)
        return Attempt(
            store=self._store,
            counted=[own, *addresses],
            proved=[own] if own in found else [],
            claims=claims,
            home="" if fresh else pair,
            now=now,
        )

    def _refuse_waiting(self, found: Mapping[str, Failures], now: float) -> None:
        if (
            wait := max((seconds_to_wait(key, failures, now) for key, failures in found.items()), default=0.0)
        ) > 0:
            raise too_many_failures(wait)

    def _claim(self, found: Mapping[str, Failures], now: float) -> list[Claim]:
        claims: list[Claim] = []
        for key, before in found.items():
            if _backoff(key, before, now) <= 0:
                continue
            claim = Claim(key, before, Failures(count=before.count + 1, last=now))
            if not self._store.replace(key, before, claim.after):
                give_back(claims, self._store)
                raise too_many_failures(_backoff(key, claim.after, now))
            claims.append(claim)
        return claims


def give_back(claims: Sequence[Claim], store: FailureStore) -> None:
    """Those that somebody else has changed since stay as they are."""
    for claim in claims:
        store.replace(claim.key, claim.after, claim.before)


def too_many_failures(seconds: float) -> RateLimited:
    wait = str(max(1, math.ceil(seconds)))
    return RateLimited("too many logins have failed; try again later", headers=(("Retry-After", wait),))


def network_of(address: str) -> str:
    """What counts as one address. Empty for what is none."""
    try:
        found = ip_address(address)
    except ValueError:
        return ""
    if not isinstance(found, IPv6Address):
        return str(found)
    return str(ip_network((found.packed, IPV6_PREFIX), strict=False))


def seconds_to_wait(key: str, failures: Failures, now: float) -> float:
    """Not positive where a login may be tried."""
    backoff = _backoff(key, failures, now)
    return min(backoff, failures.last + backoff - now)


def _backoff(key: str, failures: Failures, now: float) -> float:
    """The whole wait after so many failures; 0 for few, or old ones, or ones of a clock that was wrong."""
    age = now - failures.last
    excess = failures.count - (FREE_BY_ADDRESS if key.startswith("address:") else FREE_BY_ACCOUNT)
    if excess < 0 or not -CLOCKS_DIFFER_SECONDS <= age <= FORGOTTEN_AFTER_SECONDS:
        return 0.0
    return float(min(MAX_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** min(excess, 20)))
