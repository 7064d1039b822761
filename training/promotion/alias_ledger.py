"""Moving an alias and writing it down, as one act as far as two systems allow."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine

from modelkit.definition import ModelDefinition
from records.ledger import LedgerEntry, append, history
from training.errors import MovedMeanwhile, NotRegistered
from training.promotion.move_lock import one_move_at_a_time
from training.registry import Registry
from training.version import CANDIDATE, CHALLENGER, PRODUCTION, STAGING, Version

REGISTER, RETRAIN, PROMOTE, ROLLBACK, WITHDRAW = "register", "retrain", "promote", "rollback", "withdraw"
DISMISS = "dismiss"
NOBODY = "none"


@dataclass(frozen=True, kw_only=True)
class Move:
    """Who moves which alias, why, and on what evidence.

    `expected` is the version that the mover believes the alias to be at, NOBODY for none at all; None: not said.
    """

    alias: str
    actor: str
    reason: str
    action: str = PROMOTE
    report: Mapping[str, Any] | None = None
    expected: str | None = None


class AliasLedger:
    """The aliases of one model in the registry, with their history in the ledger.

    Moves raise MovedMeanwhile when somebody else moved the alias since `before` was read. The lock keeps other commands
    out; a second look finds whoever moved the alias without one. A move that cannot be written down is taken back.
    """

    def __init__(self, definition: ModelDefinition, registry: Registry, ledger: Engine) -> None:
        self._definition = definition
        self._registry = registry
        self._ledger = ledger

    def holder(self, alias: str) -> Version | None:
        return self._registry.by_alias(self._definition.registry_name, alias)

    def seen(self, move: Move) -> Version | None:
        """Who holds the alias. Raises MovedMeanwhile where the mover expects another."""
        now = self.holder(move.alias)
        if move.expected is not None and move.expected != (now.number if now else NOBODY):
            expected = "no version" if move.expected == NOBODY else f"version {move.expected}"
            raise MovedMeanwhile(
                f"{move.alias} was expected to be {expected} and is {_said(now)}; nothing was moved"
            )
        return now

    def move(self, before: Version | None, after: Version, move: Move) -> None:
        """What gets into production is approved, and no longer withdrawn."""
        with one_move_at_a_time(self._ledger, self._definition.name):
            self._expect(before, move.alias)
            self._expect_no_withdrawal(after)
            if move.alias == PRODUCTION:
                with self._marked(after, approved=True, withdrawn=None):
                    self._move(before, after, move)
            else:
                self._move(before, after, move)

    def roll_back(self, left: Version, target: Version, move: Move) -> list[str]:
        """Production back to `target`; `left` loses its approval and its other aliases. Says which.

        It is marked first: cut short before production moved, the same command goes on.
        """
        reason = " ".join(move.reason.split())
        said = f"{_now():%Y-%m-%d %H:%M UTC} by {move.actor}{': ' if reason else ''}{reason}"
        with one_move_at_a_time(self._ledger, self._definition.name):
            self._expect(left, move.alias)
            self._expect_no_withdrawal(target)
            with self._marked(left, approved=False, withdrawn=said):
                self._move(left, target, dataclasses.replace(move, action=ROLLBACK))
            return list(self._without_aliases(left, target, move))

    def dismiss(self, left: Version, move: Move) -> None:
        """The alias is no version then; of the version itself nothing is said."""
        with one_move_at_a_time(self._ledger, self._definition.name):
            self._expect(left, move.alias)
            self._registry.remove_alias(left.registry_name, move.alias)
            self._write_down(left, None, move)

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
        self._registry.move_alias(after, move.alias)
        self._write_down(before, after, move)
        self._expect(after, move.alias)

    def _without_aliases(self, left: Version, target: Version, move: Move) -> Iterator[str]:
        """`staging` goes where production went, because services follow it; nobody answers with the others."""
        for alias in (STAGING, CANDIDATE, CHALLENGER):
            if (holder := self.holder(alias)) is None or holder.number != left.number:
                continue
            if alias == STAGING:
                self._move(left, target, dataclasses.replace(move, alias=alias, action=ROLLBACK))
                yield f"{alias} is version {target.number}, too"
            else:
                self._registry.remove_alias(left.registry_name, alias)
                self._write_down(left, None, dataclasses.replace(move, alias=alias, action=WITHDRAW))
                yield f"{alias} is no version now"

    @contextmanager
    def _marked(self, version: Version, *, approved: bool, withdrawn: str | None) -> Iterator[None]:
        """Marks that are taken back where what they are made for fails."""
        self._registry.mark(version, approved=approved, withdrawn=withdrawn)
        try:
            yield
        except Exception:
            self._registry.mark(version, approved=version.approved, withdrawn=version.withdrawn)
            raise

    def _expect(self, expected: Version | None, alias: str) -> None:
        now = self.holder(alias)
        if (now and now.number) != (expected and expected.number):
            raise MovedMeanwhile(
                f"another move came first: {alias} is {_said(now)} now; look at it and try again"
            )

    def _expect_no_withdrawal(self, judged: Version) -> None:
        """A version may have been in production and withdrawn again since it was looked at."""
        now = self._registry.by_number(judged.registry_name, judged.number)
        if now.withdrawn != judged.withdrawn:
            done = "withdrawn" if now.withdrawn else "promoted"
            raise MovedMeanwhile(f"version {now.number} was {done} meanwhile; look at it and try again")

    def _write_down(self, before: Version | None, after: Version | None, move: Move) -> None:
        try:
            append(self._ledger, self._entry(before, after, move))
        except Exception:
            if before is None:
                self._registry.remove_alias(self._definition.registry_name, move.alias)
            else:
                self._registry.move_alias(before, move.alias)
            raise

    def _entry(self, before: Version | None, after: Version | None, move: Move) -> LedgerEntry:
        about = after or before
        assert about is not None
        return LedgerEntry(
            model=self._definition.name,
            version=about.number,
            alias=move.alias,
            from_version=before.number if before else None,
            to_version=after.number if after else None,
            action=move.action,
            actor=move.actor,
            reason=move.reason,
            report=move.report,
            at=_now(),
        )


def _said(version: Version | None) -> str:
    return f"version {version.number}" if version else "no version"


def _now() -> datetime:
    return datetime.now(UTC)
