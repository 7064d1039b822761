"""Whose limit is what: the policy file's rules, and the settings' default for whom no rule fits."""

from __future__ import annotations

from typing import Protocol

from auth.policy import PolicyFile, Rate
from serving.identity_settings import IdentitySettings

BURST_SECONDS = 2.0


class Rates(Protocol):
    """`generation` is another number as soon as an answer may be another one; `any` says whether anybody has a limit."""

    def generation(self) -> int: ...

    def any(self) -> bool: ...

    def of(self, subject: str, model: str) -> Rate | None: ...


class PolicyRates:
    """Implements `Rates`."""

    def __init__(self, default: Rate | None, policy: PolicyFile) -> None:
        self._default, self._policy = default, policy

    def generation(self) -> int:
        return self._policy.generation()

    def any(self) -> bool:
        return self._default is not None or bool(self._policy.current().limits)

    def of(self, subject: str, model: str) -> Rate | None:
        return self._policy.current().limit_for(subject, model) or self._default


def default_rate(settings: IdentitySettings) -> Rate | None:
    """None where nobody is limited who has no rule of his own."""
    if not settings.rate_limit_per_second:
        return None
    burst = settings.rate_limit_burst or max(1.0, BURST_SECONDS * settings.rate_limit_per_second)
    return Rate(per_second=settings.rate_limit_per_second, burst=float(burst))
