"""An audit trail that is kept in memory, for tests that read it."""

from __future__ import annotations


class Trail:
    """Implements `auth.audit.Audit`."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, object]]] = []

    def __call__(self, event: str, **facts: object) -> None:
        self.events.append((event, facts))

    def of(self, event: str) -> list[dict[str, object]]:
        """The facts of every event of this name, in order."""
        return [facts for name, facts in self.events if name == event]

    def clear(self) -> None:
        self.events.clear()
