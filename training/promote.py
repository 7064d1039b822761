"""Gates, aliases and the ledger: how a version comes to serve, and how it is taken back."""

from __future__ import annotations

import dataclasses
import math
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from modelkit.definition import ModelDefinition
from modelkit.gates import Gate, GateResult, judge
from records.ledger import LedgerEntry, append, history
from training.champion import compare, fetch_servable
from training.errors import NotRegistered, PromotionRefused
from training.registry import Registry
from training.version import CANDIDATE, PRODUCTION, Version

SIGNATURE = Gate(name="signature", metric="signature.present", at_least=1)
PROMOTE, ROLLBACK = "promote", "rollback"


@dataclass(frozen=True, kw_only=True)
class Move:
    """Who moves which alias, and why."""

    alias: str
    actor: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Moved:
    """An alias that was moved. `results` is empty for a rollback: its target passed its gates when it was promoted."""

    before: Version | None
    after: Version
    results: tuple[GateResult, ...] = ()


class Promoter:
    """Moves aliases of one model, each move on the record."""

    def __init__(self, definition: ModelDefinition, registry: Registry, ledger: Engine) -> None:
        self._definition = definition
        self._registry = registry
        self._ledger = ledger

    def promote(self, move: Move, number: str | None = None) -> Moved:
        """Raises PromotionRefused, naming every failed gate and by how much it failed."""
        version = self._chosen(number)
        before = self._holder(move.alias)
        results = self.judge(version, before)
        report = [_as_json(result) for result in results]
        self._registry.keep_report(version, move.alias, report)
        failed = [result for result in results if not result.passed]
        if failed:
            sentences = "; ".join(result.sentence() for result in failed)
            raise PromotionRefused(f"version {version.number} stays what it is: {sentences}")
        self._registry.approve(version)
        self._move(before, version, move, action=PROMOTE, report={"gates": report})
        return Moved(before=before, after=version, results=tuple(results))

    def judge(self, version: Version, champion: Version | None) -> list[GateResult]:
        """Every gate of the definition, the signature, and the champion where there is another one."""
        with tempfile.TemporaryDirectory() as folder:
            servable = fetch_servable(self._definition, self._registry, version, Path(folder))
        metrics = dict(servable.card.metrics)
        metrics[SIGNATURE.metric] = float(self._registry.has_signature(version))
        gates = [*self._definition.gates, SIGNATURE]
        if champion is not None and champion.number != version.number:
            compared = compare(self._definition, self._registry, candidate=version, champion=champion)
            if compared is not None:
                metrics |= compared[0]
                gates.append(compared[1])
        return judge(gates, metrics)

    def rollback(self, move: Move) -> Moved:
        """Back to the version that this one was promoted over; the version that is left loses its approval."""
        left = self._holder(move.alias)
        if left is None:
            raise NotRegistered(f"{self._definition.name} has no version in {move.alias} to roll back")
        target = self._predecessor(left, move.alias)
        self._move(left, target, move, action=ROLLBACK, report=None)
        self._registry.withdraw(left)
        return Moved(before=left, after=target)

    def _chosen(self, number: str | None) -> Version:
        name = self._definition.registry_name
        if number is not None:
            return self._registry.by_number(name, number)
        candidate = self._registry.by_alias(name, CANDIDATE)
        if candidate is None:
            raise NotRegistered(f"{self._definition.name} has no candidate: run `python -m training register` first")
        return candidate

    def _holder(self, alias: str) -> Version | None:
        return self._registry.by_alias(self._definition.registry_name, alias)

    def _predecessor(self, left: Version, alias: str) -> Version:
        """The ledger read backwards from the promotion that brought `left`, past versions that were withdrawn."""
        number: str | None = left.number
        seen = {left.number}
        for entry in history(self._ledger, self._definition.name):
            if entry.alias != alias or entry.action != PROMOTE or entry.to_version != number:
                continue
            number = entry.from_version
            if number is None or number in seen:
                break
            seen.add(number)
            version = self._registry.by_number(self._definition.registry_name, number)
            if version.approved:
                return version
        raise NotRegistered(f"the ledger knows no approved version of {self._definition.name} before {left.number}")

    def _move(
        self, before: Version | None, after: Version, move: Move, *, action: str, report: Mapping[str, Any] | None
    ) -> None:
        """Refuses when somebody moved the alias since it was read. The registry has no compare-and-set, so it is
        read again just before and just after; without its row in the ledger a move is taken back."""
        self._expect(before, move.alias)
        self._registry.move_alias(after, move.alias)
        try:
            append(self._ledger, self._entry(before, after, move, action=action, report=report))
        except Exception:
            self._restore(before, move.alias)
            raise
        self._expect(after, move.alias)

    def _expect(self, expected: Version | None, alias: str) -> None:
        now = self._holder(alias)
        if (now and now.number) != (expected and expected.number):
            holder = f"version {now.number}" if now else "no version"
            raise PromotionRefused(f"another promotion came first: {alias} is now {holder}; look at it and try again")

    def _restore(self, before: Version | None, alias: str) -> None:
        if before is None:
            self._registry.remove_alias(self._definition.registry_name, alias)
        else:
            self._registry.move_alias(before, alias)

    def _entry(
        self, before: Version | None, after: Version, move: Move, *, action: str, report: Mapping[str, Any] | None
    ) -> LedgerEntry:
        return LedgerEntry(
            model=self._definition.name,
            version=after.number,
            alias=move.alias,
            from_version=before.number if before else None,
            to_version=after.number,
            action=action,
            actor=move.actor,
            reason=move.reason,
            report=report,
            at=datetime.now(UTC),
        )


def _as_json(result: GateResult) -> dict[str, Any]:
    found = dataclasses.asdict(result) | {"sentence": result.sentence()}
    return found | {"missed_by": None if math.isinf(result.missed_by) else result.missed_by}
