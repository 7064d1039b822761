"""The policy file as it is now: looked at again at most once a second, and kept as it was while it is wrong."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from auth.audit import Audit, no_audit
from auth.policy_checks import PolicyRefused
from auth.policy_document import parse_policy, read_policy
from auth.policy_rules import ExternalIssuer, Grant, LimitRule, Policy, Rate

__all__ = [
    "ExternalIssuer",
    "Grant",
    "LimitRule",
    "Policy",
    "PolicyFile",
    "PolicyRefused",
    "Rate",
    "parse_policy",
    "read_policy",
]

RECHECK_SECONDS = 1.0
SETTING = "AUTH_POLICY_FILE"

Stamp = tuple[int, int, int]


class PolicyFile:
    """Without a path, the empty policy for ever. Raises ValueError for a file that is wrong from the start.

    `clock` only tells when to look again. `audit` hears of each new edition: `policy.changed` or `policy.refused`.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        audience: str,
        own_issuer: str,
        clock: Callable[[], float] = time.monotonic,
        audit: Audit = no_audit,
    ) -> None:
        self._path, self._audience, self._own_issuer = path, audience, own_issuer
        self._clock, self._audit = clock, audit
        self._next_look = clock() + RECHECK_SECONDS
        self._policy, self._generation = Policy(), 0
        self._stamp: Stamp | None = None
        self._trouble = ""
        if path is not None:
            self._stamp, self._policy = self._first(path)

    def current(self) -> Policy:
        now = self._clock()
        if now >= self._next_look and self._path is not None:
            self._next_look = now + RECHECK_SECONDS
            self._look(self._path)
        return self._policy

    def generation(self) -> int:
        """Another number as soon as the policy is another one."""
        self.current()
        return self._generation

    def _first(self, path: Path) -> tuple[Stamp, Policy]:
        try:
            return _stamp(path), self._read(path)
        except OSError as error:
            raise ValueError(f"{SETTING} cannot be read") from error
        except PolicyRefused as error:
            raise PolicyRefused(f"{SETTING}: {error}") from None

    def _look(self, path: Path) -> None:
        try:
            stamp = _stamp(path)
            if stamp == self._stamp:
                return
            policy = self._read(path)
        except OSError as error:
            return self._refuse(f"it cannot be read ({type(error).__name__})", None)
        except PolicyRefused as error:
            return self._refuse(str(error), stamp)
        self._stamp, self._trouble = stamp, ""
        if policy != self._policy:
            self._policy = policy
            self._generation += 1
            self._audit("policy.changed", **_summary(policy))

    def _refuse(self, reason: str, stamp: Stamp | None) -> None:
        """Said once per edition. What is not there at all is looked for again, whatever comes then."""
        if stamp is not None:
            self._stamp = stamp
        if reason == self._trouble and stamp is None:
            return
        self._trouble = reason
        self._audit("policy.refused", reason=reason)

    def _read(self, path: Path) -> Policy:
        return read_policy(path, audience=self._audience, own_issuer=self._own_issuer)


def _stamp(path: Path) -> Stamp:
    found = os.stat(path)
    return found.st_mtime_ns, found.st_size, found.st_ino


def _summary(policy: Policy) -> dict[str, object]:
    return {
        "issuers": ",".join(issuer.name for issuer in policy.issuers),
        "grants": len(policy.grants),
        "limits": len(policy.limits),
    }
