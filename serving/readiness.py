"""Whether this worker lives and should get requests, and why not: what probes and health services of any protocol are told."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from serving.lifecycle.drain import Drain
from serving.lifecycle.siblings import Siblings
from serving.model_board import ModelBoard


class Readiness:
    """Asks neither Redis nor a database. `needs` say why something else is missing, empty while it is there."""

    def __init__(
        self, board: ModelBoard, drain: Drain, siblings: Siblings, *, needs: Mapping[str, Callable[[], str]]
    ) -> None:
        self._board, self._drain, self._siblings, self._needs = board, drain, siblings, dict(needs)

    def also_needs(self, name: str, reason: Callable[[], str]) -> None:
        self._needs[name] = reason

    def live(self) -> bool:
        """This process answers, and no other worker is gone; models may still be loading."""
        return not self._siblings.missing

    def reasons(self) -> dict[str, str]:
        """Why this replica should get no requests; empty when every model has answered a warm-up row, keys and
        revocations of tokens are known, and nothing drains.
        """
        found = self._board.unready() | {name: reason() for name, reason in self._needs.items()}
        if self._drain.active:
            found["replica"] = "draining"
        return {name: reason for name, reason in found.items() if reason}

    def of_model(self, name: str) -> bool:
        """Whether this model can be asked here."""
        return name in self._board.slots and not self._drain.active and name not in self._board.unready()
