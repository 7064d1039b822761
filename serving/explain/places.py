"""Who may have how many explanations on their way: all of a request's or none, and nobody more than half where others ask."""

from __future__ import annotations

from collections import Counter

from modelkit.errors import Overloaded


class Place:
    """One explanation's, until it is `left`."""

    def __init__(self, places: Places, caller: str) -> None:
        self._places, self._caller = places, caller
        self._is_left = False

    def leave(self) -> None:
        """Once or more often."""
        if not self._is_left:
            self._is_left = True
            self._places.left(self._caller)


class Places:
    """`limit` explanations wait or are worked on. A request that is allowed always finds room where nothing is under way."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._taken: Counter[str] = Counter()

    def take(self, caller: str, count: int) -> list[Place]:
        """Raises Overloaded; then none is taken."""
        own = self._taken[caller]
        if self._taken.total() and self._taken.total() + count > self._limit:
            raise Overloaded("Too many explanations are waiting")
        if own and own + count > self._limit // 2:
            raise Overloaded("Too many of your explanations are waiting")
        self._taken[caller] += count
        return [Place(self, caller) for _ in range(count)]

    def left(self, caller: str) -> None:
        self._taken[caller] -= 1
        if not self._taken[caller]:
            del self._taken[caller]
