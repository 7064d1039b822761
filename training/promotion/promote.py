"""Gates and aliases: how a version comes to serve, and how it is taken back."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from sqlalchemy import Engine

from modelkit.definition import ModelDefinition
from training.errors import NotRegistered, PromotionRefused
from training.promotion.alias_ledger import ROLLBACK, AliasLedger, Move
from training.promotion.judging import Rules, VersionJudge
from training.promotion.verdict import Verdict
from training.registry import Registry
from training.version import CANDIDATE, PRODUCTION, Version


@dataclass(frozen=True, kw_only=True)
class Moved:
    """An alias that was moved, or was there already. Without a verdict nothing was judged: what a rollback goes back to
    was judged when it was promoted."""

    before: Version | None
    after: Version
    verdict: Verdict | None = None

    def sentence(self, alias: str) -> str:
        """For the terminal, with a line for each gate."""
        if self.before is not None and self.before.number == self.after.number and self.verdict is None:
            return f"{alias} is version {self.after.number} already; nothing was moved"
        before = f"version {self.before.number}" if self.before else "none"
        lines = [f"  {line}" for line in self.verdict.lines()] if self.verdict else []
        return "\n".join([f"{alias} is now version {self.after.number} (before: {before})", *lines])


class Promoter:
    """Moves the aliases of one model, each move judged and on the record."""

    def __init__(
        self, definition: ModelDefinition, registry: Registry, ledger: Engine, rules: Rules | None = None
    ) -> None:
        self._definition = definition
        self._registry = registry
        self._judge = VersionJudge(definition, registry, ledger, rules)
        self._aliases = AliasLedger(definition, registry, ledger)

    def promote(self, move: Move, number: str | None = None) -> Moved:
        """Raises PromotionRefused, naming every failed gate and by how much it failed."""
        version = self.chosen(number)
        before = self._aliases.holder(move.alias)
        settled = version.approved or move.alias != PRODUCTION
        if before is not None and before.number == version.number and settled:
            return Moved(before=before, after=version)  # nothing moves, so nothing is judged or remembered
        verdict = self._passed(version, move.alias)
        # Serving may fall back to any approved version, so what only reached staging is not one.
        approves = move.alias == PRODUCTION and not version.approved
        if approves:
            self._registry.approve(version)
        try:
            self._aliases.move(before, version, dataclasses.replace(move, report=verdict.document()))
        except Exception:
            if approves:
                self._registry.withdraw(self._registry.by_number(version.registry_name, version.number))
            raise
        return Moved(before=before, after=version, verdict=verdict)

    def rehearse(self, move: Move, number: str | None = None) -> str:
        """What `promote` would say, refusal included, without moving anything."""
        version = self.chosen(number)
        verdict = self._passed(version, move.alias)
        lines = [f"  {line}" for line in verdict.lines()]
        return "\n".join([f"version {version.number} may go to {move.alias}; nothing was moved", *lines])

    def rollback(self, move: Move, number: str | None = None) -> Moved:
        """Back to the version that this one was promoted over, or to an approved one that is named.

        The version that is left loses its approval.
        """
        left = self._aliases.holder(move.alias)
        if left is None:
            raise NotRegistered(f"{self._definition.name} has no version in {move.alias} to roll back")
        target = self._aliases.predecessor(left, move.alias) if number is None else self.chosen(number)
        if not target.approved or target.number == left.number:
            raise PromotionRefused(
                f"version {target.number} is no version to go back to: it is in {move.alias} now, "
                "never was, or was withdrawn"
            )
        self._aliases.move(left, target, dataclasses.replace(move, action=ROLLBACK))
        self._registry.withdraw(left)
        return Moved(before=left, after=target)

    def chosen(self, number: str | None) -> Version:
        """The version of this number, or the candidate."""
        name = self._definition.registry_name
        if number is not None:
            return self._registry.by_number(name, number)
        candidate = self._registry.by_alias(name, CANDIDATE)
        if candidate is None:
            raise NotRegistered(f"{self._definition.name} has no candidate: register one first")
        return candidate

    def _passed(self, version: Version, alias: str) -> Verdict:
        verdict = self._judge.judge(version, alias)
        if verdict.failed:
            failed = "; ".join(result.sentence() for result in verdict.failed)
            raise PromotionRefused(f"version {version.number} stays where it is: {failed}")
        return verdict
