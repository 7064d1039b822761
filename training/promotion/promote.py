"""Gates and aliases: how a version comes to serve, and how it is taken back."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from sqlalchemy import Engine

from modelkit.definition import ModelDefinition
from training.errors import NotRegistered, PromotionRefused
from training.promotion.alias_ledger import AliasLedger, Move
from training.promotion.judging import Rules, VersionJudge
from training.promotion.rehearsal import Rehearsal, refuse_failed
from training.promotion.verdict import Verdict
from training.registry import Registry
from training.version import CANDIDATE, PRODUCTION, Version


@dataclass(frozen=True, kw_only=True)
class Moved:
    """An alias that was moved, or was there already, and what else happened. Without a verdict nothing was judged: what a
    rollback goes back to was judged when it was promoted."""

    before: Version | None
    after: Version
    verdict: Verdict | None = None
    also: tuple[str, ...] = ()

    def sentence(self, alias: str) -> str:
        """For the terminal, with a line for each gate."""
        if self.before is not None and self.before.number == self.after.number and self.verdict is None:
            return f"{alias} is version {self.after.number} already; nothing was moved"
        before = f"version {self.before.number}" if self.before else "none"
        found = [*(self.verdict.lines() if self.verdict else []), *self.also]
        lines = [f"  {line}" for line in found]
        return "\n".join([f"{alias} is now version {self.after.number} (before: {before})", *lines])


class Promoter:
    """Moves the aliases of one model, each move judged and on the record."""

    def __init__(
        self, definition: ModelDefinition, registry: Registry, ledger: Engine, rules: Rules | None = None
    ) -> None:
        self._definition = definition
        self._registry = registry
        self._signing_key = None if rules is None else rules.signing_key
        self._judge = VersionJudge(definition, registry, ledger, rules)
        self._aliases = AliasLedger(definition, registry, ledger)

    def promote(self, move: Move, number: str | None = None, *, again: bool = False) -> Moved:
        """The version of this number, or the candidate; one that was withdrawn only with `again`.

        Raises PromotionRefused, naming every failed gate and by how much it failed.
        """
        version = self._promotable(number, again=again)
        before = self._aliases.seen(move)
        settled = version.approved or move.alias != PRODUCTION
        if before is not None and before.number == version.number and settled:
            return Moved(before=before, after=version)  # nothing moves, so nothing is judged or remembered
        verdict = self._judged(version, move.alias)
        refuse_failed(version, verdict)
        signed = self._signed(version)
        self._aliases.move(before, version, dataclasses.replace(move, report=verdict.document()))
        return Moved(before=before, after=version, verdict=verdict, also=signed)

    def rehearse(self, move: Move, number: str | None = None, *, again: bool = False) -> Rehearsal:
        """What `promote` would find; nothing is moved, and a failed gate is not refused yet."""
        version = self._promotable(number, again=again)
        before = self._aliases.seen(move)
        return Rehearsal(
            model=self._definition.name,
            alias=move.alias,
            version=version,
            before=before,
            verdict=self._judged(version, move.alias),
        )

    def rollback(self, move: Move, number: str | None = None) -> Moved:
        """Back to the version that this one was promoted over, or to an approved one that is named.

        The version that is left is withdrawn.
        """
        left = self._aliases.seen(move)
        if left is None:
            raise NotRegistered(f"{self._definition.name} has no version in {move.alias} to roll back")
        target = self._aliases.predecessor(left, move.alias) if number is None else self._numbered(number)
        if not target.approved or target.number == left.number:
            raise PromotionRefused(
                f"version {target.number} is no version to go back to: it is in {move.alias} now, "
                "never was, or was withdrawn"
            )
        signed = self._signed(target) or _unsigned(left, target)
        also = self._aliases.roll_back(left, target, move)
        withdrawn = (
            f"version {left.number} is withdrawn: only `promote --version {left.number} --again` takes it"
        )
        return Moved(before=left, after=target, also=(*signed, withdrawn, *also))

    def _signed(self, version: Version) -> tuple[str, ...]:
        """Before the alias moves: whoever follows it looks for the signature at once. A version that is gone back to may be
        older than the key."""
        if self._signing_key is None:
            return ()
        from training.promotion.signing import Signer  # its library takes seconds to import

        return (Signer(self._registry, self._signing_key).sign(version),)

    def _promotable(self, number: str | None, *, again: bool) -> Version:
        version = self._candidate() if number is None else self._numbered(number)
        if version.withdrawn is not None and not again:
            raise PromotionRefused(self._withdrawn(version))
        return version

    def _numbered(self, number: str) -> Version:
        return self._registry.by_number(self._definition.registry_name, number)

    def _candidate(self) -> Version:
        name = self._definition.registry_name
        candidate = self._registry.by_alias(name, CANDIDATE)
        if candidate is not None:
            return candidate
        newest = next(iter(self._registry.versions(name)), None)
        way_out = "register one first"
        if newest is not None and newest.withdrawn is not None:
            way_out = self._withdrawn(newest)
        raise NotRegistered(f"{self._definition.name} has no candidate: {way_out}")

    def _withdrawn(self, version: Version) -> str:
        return (
            f"version {version.number} was withdrawn on {version.withdrawn}; to promote it all the same: "
            f"promote {self._definition.name} --version {version.number} --again"
        )

    def _judged(self, version: Version, alias: str) -> Verdict:
        verdict = self._judge.judge(version, alias)
        if version.withdrawn is None:
            return verdict
        note = f"asked for again: it was withdrawn on {version.withdrawn}"
        return dataclasses.replace(verdict, notes=(*verdict.notes, note))


def _unsigned(left: Version, target: Version) -> tuple[str, ...]:
    """Said where nobody signs now, and what is left has a signature that what is gone back to has not."""
    if left.signed_by in ("", target.signed_by):
        return ()
    way_out = "pods that require a signature keep what they have: `sign --version`, or MODEL_SIGNING_KEY"
    return (f"version {target.number} is not signed by {left.signed_by}: {way_out}",)
