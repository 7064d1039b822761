"""Moving an alias and writing it down, as one act as far as two systems allow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine

from modelkit.definition import ModelDefinition
from records.ledger import LedgerEntry, append, history
from training.errors import NotRegistered, PromotionRefused
from training.promotion.move_lock import one_move_at_a_time
from training.registry import Registry
from training.version import Version

PROMOTE, ROLLBACK = "promote", "rollback"


@dataclass(frozen=True, kw_only=True)
class Move:
    """Who moves which alias, why, and on what evidence."""

    alias: str
    actor: str
    reason: str
    action: str = PROMOTE
    report: Mapping[str, Any] | None = None


class AliasLedger:
    """The aliases of one model in the registry, with their history in the ledger."""

    def __init__(self, definition: ModelDefinition, registry: Registry, ledger: Engine) -> None:
        self._definition = definition
        self._registry = registry
        self._ledger = ledger

    def holder(self, alias: str) -> Version | None:
        return self._registry.by_alias(self._definition.registry_name, alias)

    def move(self, before: Version | None, after: Version, move: Move) -> None:
        """Raises PromotionRefused when somebody else moved the alias since `before` was read.

        The lock keeps other commands out; the second look finds whoever moved the alias without one.
        A move that cannot be written down is taken back.
        """
        with one_move_at_a_time(self._ledger, self._definition.name):
            self._move(before, after, move)

    def reached(self, version: Version, alias: str) -> bool:
        """Whether the version has ever been behind this alias."""
        moves = history(self._ledger, self._definition.name)
        return any((move.alias, move.to_version) == (alias, version.number) for move in moves)

    def predecessor(self, left: Version, alias: str) -> Version:
        """The ledger read backwards from the promotion that brought `left`, past versions that were withdrawn."""
        number: str | None = left.number
        for entry in history(self._ledger, self._definition.name):
            if (entry.alias, entry.action, entry.to_version) != (alias, PROMOTE, number):
                continue
            number = entry.from_version
            if number is None:
                break
            version = self._registry.by_number(self._definition.registry_name, number)
            if version.approved and number != left.number:
                return version
        raise NotRegistered(
            f"no approved version of {self._definition.name} was in {alias} before {left.number}"
        )

    def _move(self, before: Version | None, after: Version, move: Move) -> None:
        self._expect(before, move.alias)
        self._registry.move_alias(after, move.alias)
        try:
            append(self._ledger, self._entry(before, after, move))
        except Exception:
            self._restore(before, move.alias)
            raise
        self._expect(after, move.alias)

    def _expect(self, expected: Version | None, alias: str) -> None:
        now = self.holder(alias)
        if (now and now.number) != (expected and expected.number):
            holder = f"version {now.number}" if now else "no version"
            raise PromotionRefused(
                f"another move came first: {alias} is {holder} now; look at it and try again"
            )

    def _restore(self, before: Version | None, alias: str) -> None:
        if before is None:
            self._registry.remove_alias(self._definition.registry_name, alias)
        else:
            self._registry.move_alias(before, alias)

    def _entry(self, before: Version | None, after: Version, move: Move) -> LedgerEntry:
        return LedgerEntry(
            model=self._definition.name,
            version=after.number,
            alias=move.alias,
            from_version=before.number if before else None,
            to_version=after.number,
            action=move.action,
            actor=move.actor,
            reason=move.reason,
            report=move.report,
            at=datetime.now(UTC),
        )
