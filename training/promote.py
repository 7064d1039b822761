"""Gates and aliases: how a version comes to serve, and how it is taken back."""

from __future__ import annotations

import dataclasses
import math
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from modelkit.definition import ModelDefinition
from modelkit.gates import Gate, GateResult, judge
from training.alias_ledger import ROLLBACK, AliasLedger, Move
from training.champion import compare, fetch_servable
from training.errors import NotRegistered, PromotionRefused
from training.registry import Registry
from training.version import CANDIDATE, PRODUCTION, Version

SIGNATURE = Gate(name="signature", metric="signature.present", at_least=1)


@dataclass(frozen=True, kw_only=True)
class Moved:
    """An alias that was moved. `results` is empty for a rollback: its target passed when it was promoted."""

    before: Version | None
    after: Version
    results: tuple[GateResult, ...] = ()

    def sentence(self, alias: str) -> str:
        """For the terminal, with a line for each gate."""
        before = f"version {self.before.number}" if self.before else "none"
        lines = [f"  {result.sentence()}" for result in self.results]
        return "\n".join([f"{alias} is now version {self.after.number} (before: {before})", *lines])


class Promoter:
    """Moves the aliases of one model, each move judged and on the record."""

    def __init__(self, definition: ModelDefinition, registry: Registry, ledger: Engine) -> None:
        self._definition = definition
        self._registry = registry
        self._aliases = AliasLedger(definition, registry, ledger)

    def promote(self, move: Move, number: str | None = None) -> Moved:
        """Raises PromotionRefused, naming every failed gate and by how much it failed."""
        version = self._chosen(number)
        before = self._aliases.holder(move.alias)
        results = self.judge(version, before)
        report = [_as_json(result) for result in results]
        self._registry.keep_report(version, move.alias, report)
        failed = [result.sentence() for result in results if not result.passed]
        if failed:
            raise PromotionRefused(f"version {version.number} stays where it is: {'; '.join(failed)}")
        if move.alias == PRODUCTION:
            # Serving may fall back to any approved version, so what only reached staging is not one.
            self._registry.approve(version)
        self._aliases.move(before, version, dataclasses.replace(move, report={"gates": report}))
        return Moved(before=before, after=version, results=tuple(results))

    def judge(self, version: Version, champion: Version | None) -> list[GateResult]:
        """Every gate of the definition, the signature, and the champion where it is another version."""
        with tempfile.TemporaryDirectory() as folder:
            servable = fetch_servable(self._definition, self._registry, version, Path(folder))
        metrics = dict(servable.card.metrics)
        metrics[SIGNATURE.metric] = float(self._registry.has_signature(version))
        gates = [*self._definition.gates, SIGNATURE]
        if champion is not None and champion.number != version.number:
            compared = compare(self._definition, self._registry, candidate=version, champion=champion)
            if compared is not None:
                metrics |= compared.metrics
                gates.append(compared.gate)
        return judge(gates, metrics)

    def rollback(self, move: Move) -> Moved:
        """Back to the version that this one was promoted over; the version that is left loses its approval."""
        left = self._aliases.holder(move.alias)
        if left is None:
            raise NotRegistered(f"{self._definition.name} has no version in {move.alias} to roll back")
        target = self._aliases.predecessor(left, move.alias)
        self._aliases.move(left, target, dataclasses.replace(move, action=ROLLBACK))
        self._registry.withdraw(left)
        return Moved(before=left, after=target)

    def _chosen(self, number: str | None) -> Version:
        name = self._definition.registry_name
        if number is not None:
            return self._registry.by_number(name, number)
        candidate = self._registry.by_alias(name, CANDIDATE)
        if candidate is None:
            raise NotRegistered(f"{self._definition.name} has no candidate: register one first")
        return candidate


def _as_json(result: GateResult) -> dict[str, Any]:
    found = dataclasses.asdict(result) | {"sentence": result.sentence()}
    return found | {"missed_by": None if math.isinf(result.missed_by) else result.missed_by}
