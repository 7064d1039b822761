"""Which issuer is asked about a token: the one that it names. The name proves nothing yet, but nobody else is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from auth.challenges import invalid_token
from auth.external_format import unproven_issuer
from auth.external_tokens import ExternalVerifier, KeyRing
from auth.policy import PolicyFile
from auth.principal import Principal
from auth.tokens import MAX_TOKEN_LENGTH, Issuer


class OtherIssuers(Protocol):
    """Port: the issuers besides ourselves, by their `iss`, as they are now."""

    def by_iss(self) -> Mapping[str, Issuer]: ...

    def generation(self) -> int: ...


class IssuerChoice:
    """Implements `auth.tokens.Issuer` for all that are believed. `own` is None where we make no tokens ourselves."""

    def __init__(self, own: Issuer | None, others: OtherIssuers, *, own_iss: str) -> None:
        self.name = own_iss
        self._own, self._others, self._own_iss = own, others, own_iss
        self._generations, self._generation = self._ask(), 0

    def verify(self, token: str) -> Principal:
        return self._choose(token).verify(token)

    def generation(self) -> int:
        generations = self._ask()
        if generations != self._generations:
            self._generations = generations
            self._generation += 1
        return self._generation

    def _ask(self) -> tuple[int, int]:
        return self._others.generation(), self._own.generation() if self._own is not None else 0

    def _choose(self, token: str) -> Issuer:
        others = self._others.by_iss()
        if self._own is not None and not others:
            return self._own
        if len(token) > MAX_TOKEN_LENGTH:
            raise invalid_token()
        try:
            iss = unproven_issuer(token)
        except (ValueError, RecursionError):
            raise invalid_token() from None
        found = self._own if iss == self._own_iss else others.get(iss)
        if found is None:
            raise invalid_token()
        return found


class ExternalIssuers:
    """The verifiers of the policy's issuers, made anew for each edition; their keys outlive an edition.

    `rings` are by name. A ring belongs to one place where keys come from: an issuer that moves starts with an empty one.
    """

    def __init__(self, policy: PolicyFile, *, clock: Callable[[], float], leeway_seconds: float) -> None:
        self._policy, self._clock, self._leeway = policy, clock, leeway_seconds
        self._edition = -1
        self._generation = 0
        self._verifiers: dict[str, Issuer] = {}
        self.rings: dict[str, KeyRing] = {}
        self._sources: dict[str, str] = {}

    def by_iss(self) -> Mapping[str, Issuer]:
        self._follow_policy()
        return self._verifiers

    def generation(self) -> int:
        self._follow_policy()
        return self._generation

    def keys_changed(self) -> None:
        """Whoever replaced the keys of a ring says so: remembered tokens are verified again."""
        self._generation += 1

    def _follow_policy(self) -> None:
        edition = self._policy.generation()
        if edition == self._edition:
            return
        policy = self._policy.current()
        for issuer in policy.issuers:
            if self._sources.get(issuer.name) != issuer.key_source:
                self._sources[issuer.name], self.rings[issuer.name] = issuer.key_source, KeyRing()
        for name in self.rings.keys() - {issuer.name for issuer in policy.issuers}:
            del self.rings[name], self._sources[name]
        self._verifiers = {
            issuer.issuer: ExternalVerifier(
                issuer,
                self.rings[issuer.name],
                policy=policy,
                clock=self._clock,
                leeway_seconds=self._leeway,
            )
            for issuer in policy.issuers
        }
        self._edition = edition
        self._generation += 1
