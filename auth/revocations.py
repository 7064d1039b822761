"""Tokens that are refused before they expire, as one process knows them: no request ever asks a database about it.

For one event loop: nothing here is locked but `report`, which any thread may call.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

from auth.principal import Principal

TOKEN, SESSION, SUBJECT = "token", "session", "subject"

# The most that JWT_LEEWAY_SECONDS and JWT_ACCESS_TTL_SECONDS allow: who does not know how long the tokens live that he
# revokes keeps a revocation for so long. The leeway counts when a token begins, in how long it lives, and when it ends.
LONGEST_LEEWAY_SECONDS = 30.0
LONGEST_LIFE_SECONDS = 86_400 + 3 * LONGEST_LEEWAY_SECONDS


def seconds_ahead(subject: str, leeway: float = LONGEST_LEEWAY_SECONDS) -> float:
    """How far beyond now the `iat` of a caller's tokens may be: another issuer's clock may be ahead of ours."""
    return leeway if ":" in subject else 0.0


class Revocation(NamedTuple):
    """One token (`value` is its `jti`), all of a login (`sid`), or a caller's as far as they were issued up to
    `issued_before` (`value` is the principal's subject). Times are seconds since the epoch; after `expires_at` every
    token that this covers has expired by itself.
    """

    kind: str
    value: str
    issued_before: float
    expires_at: float


class Revocations:
    """What everybody has revoked, by the list that `replace` brings, and what this process itself has, by `add`."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._listed: frozenset[Revocation] = frozenset()
        self._own: set[Revocation] = set()
        self._reported: deque[Revocation] = deque()
        self._listeners: list[Callable[[], None]] = []
        self._tokens: set[str] = set()
        self._sessions: set[str] = set()
        self._subjects: dict[str, float] = {}

    @property
    def count(self) -> int:
        return len(self._tokens) + len(self._sessions) + len(self._subjects)

    def covers(self, principal: Principal) -> bool:
        before = self._subjects.get(principal.subject)
        return (
            principal.token_id in self._tokens
            or principal.session_id in self._sessions
            or (before is not None and principal.issued_at <= before)
        )

    def on_more(self, listener: Callable[[], None]) -> None:
        """`listener` is called when something is revoked that was not before."""
        self._listeners.append(listener)

    def replace(self, listed: Iterable[Revocation]) -> None:
        """Everybody's list as it is now. What was revoked here stays until it has expired: a list may be older."""
        self._own.update(self._taken())
        now, before = self._clock(), self._listed
        self._listed = frozenset(listed)
        self._own = {each for each in self._own if each.expires_at > now and each not in self._listed}
        self._tokens, self._sessions, self._subjects = set(), set(), {}
        self._index(self._listed)
        self._index(self._own)
        if not self._listed <= before:
            self._tell()

    def add(self, one: Revocation) -> None:
        """Holds from now on."""
        self.report(one)
        self.settle()

    def report(self, one: Revocation) -> None:
        """From any thread: holds after the next `settle`."""
        self._reported.append(one)

    def settle(self) -> None:
        if taken := self._taken():
            self._own.update(taken)
            self._index(taken)
            self._tell()

    def _taken(self) -> list[Revocation]:
        taken = []
        while self._reported:
            taken.append(self._reported.popleft())
        return taken

    def _index(self, entries: Iterable[Revocation]) -> None:
        for kind, value, issued_before, _ in entries:
            if kind == TOKEN:
                self._tokens.add(value)
            elif kind == SESSION:
                self._sessions.add(value)
            elif kind == SUBJECT:
                self._subjects[value] = max(self._subjects.get(value, issued_before), issued_before)

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()
