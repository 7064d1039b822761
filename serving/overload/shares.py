"""Whose turn it is when there is not room for everybody: callers with less than their share of what was admitted lately go first.

Requests in progress are a poor measure where few fit at a time: with three places and two callers, chance alone gives one of them
two. What each was admitted to in the last seconds tells who takes more than the others.
"""

from __future__ import annotations

MOST_CALLERS = 1024
FORGOTTEN = 0.05
# Equal callers must not all count as short of their share by chance.
SHORT = 0.75


class Shares:
    """Rows admitted by caller, fading. Asked only while there is a limit to be kept: `clear` when that is over."""

    def __init__(self) -> None:
        self._admitted: dict[str, float] = {}
        self._total = 0.0

    @property
    def callers(self) -> int:
        return len(self._admitted)

    def knows(self, caller: str) -> bool:
        return caller in self._admitted

    def charge(self, caller: str, rows: int = 1) -> None:
        known = self._admitted.get(caller)
        if known is None:
            if len(self._admitted) >= MOST_CALLERS:  # more are nobody's rivals: each has next to nothing
                return
            known = 0.0
        self._admitted[caller] = known + rows
        self._total += rows

    def is_short(self, caller: str) -> bool:
        """Whether others took so much that this caller goes first. Never of the only one."""
        known = self._admitted.get(caller)
        if known is None:
            return bool(self._admitted)
        return known < SHORT * self._total / len(self._admitted)

    def fade(self, share: float) -> None:
        """Everything counts for `share` of what it did."""
        faded = {caller: count * share for caller, count in self._admitted.items()}
        self._admitted = {caller: count for caller, count in faded.items() if count > FORGOTTEN}
        self._total = sum(self._admitted.values())

    def clear(self) -> None:
        self._admitted.clear()
        self._total = 0.0
