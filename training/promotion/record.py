"""Git's record of versions beside the registry's aliases: which way they differ, and the moves that make them agree.

A move that Git asked for says so in the ledger, by a reason that starts with `git`. That tells apart who is ahead: when the
last move of an alias came from Git, or what Git names was never behind the alias, Git has moved since; otherwise a hand has
moved the alias without a pull request.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from sqlalchemy import Engine

from modelkit.definition import ModelDefinition
from modelkit.versions_file import VersionsInvalid, read_versions
from records.ledger import LedgerEntry, history
from training.errors import Misused, UnknownModel
from training.registry import Registry

FROM_GIT = "git "


class Standing(Enum):
    """Who is ahead, as the middle of a sentence."""

    SAME = "agree"
    GIT_AHEAD = "Git is ahead"
    REGISTRY_AHEAD = "the registry is ahead"


WAYS_OUT = {
    Standing.GIT_AHEAD: "run the merged promotion again: make aliases OVERLAY=name",
    Standing.REGISTRY_AHEAD: (
        "record the move in Git, make model-pr OVERLAY=name MODEL=name VERSION=number, or take it back, make rollback MODEL=name"
    ),
}


@dataclass(frozen=True, kw_only=True)
class Standpoint:
    """One model: the version that Git names, the one behind the alias, who moved the alias last, and whether what Git names
    has ever been behind it (`reached`)."""

    model: str
    alias: str
    wanted: str
    held: str | None
    last: LedgerEntry | None
    reached: bool = False

    @property
    def standing(self) -> Standing:
        if self.wanted == self.held:
            return Standing.SAME
        return Standing.GIT_AHEAD if self._follows_git else Standing.REGISTRY_AHEAD

    def sentence(self) -> str:
        held = f"version {self.held}" if self.held else "no version"
        both = f"{self.model}: Git says version {self.wanted}, {self.alias} is {held}"
        match self.standing:
            case Standing.SAME:
                return f"{self.model}: version {self.wanted}, in Git and behind {self.alias}"
            case Standing.GIT_AHEAD:
                return f"{both}: Git is ahead, the merge has not moved the alias"
            case Standing.REGISTRY_AHEAD:
                return f"{both}: the registry is ahead, {self._by_hand()}"

    @property
    def _follows_git(self) -> bool:
        """Whether it is Git that has moved since: the last move came from there, or what it names was never tried."""
        if self.last is None:
            return self.held is None
        if self.last.to_version != self.held:
            return False
        return self.last.reason.startswith(FROM_GIT) or not self.reached

    def _by_hand(self) -> str:
        if self.last is None or self.last.to_version != self.held:
            return "moved without ledger or pull request"
        reason = self.last.reason or "no reason given"
        return f"moved by {self.last.actor} on {self.last.at:%Y-%m-%d %H:%M UTC} without a pull request ({reason})"


class GitRecord:
    """The versions that one file in Git wants behind one alias, against one registry and its ledger."""

    def __init__(self, wanted: dict[str, str], alias: str, registry: Registry, ledger: Engine) -> None:
        self._wanted, self._alias = wanted, alias
        self._registry, self._ledger = registry, ledger

    def standpoints(self, catalog: dict[str, ModelDefinition]) -> list[Standpoint]:
        if unknown := sorted(set(self._wanted) - set(catalog)):
            raise UnknownModel(
                f"the catalog declares no {', '.join(unknown)}; it declares {', '.join(catalog)}"
            )
        return [self._standpoint(catalog[model], wanted) for model, wanted in self._wanted.items()]

    def _standpoint(self, definition: ModelDefinition, wanted: str) -> Standpoint:
        held = self._registry.by_alias(definition.registry_name, self._alias)
        moves = [entry for entry in history(self._ledger, definition.name) if entry.alias == self._alias]
        return Standpoint(
            model=definition.name,
            alias=self._alias,
            wanted=wanted,
            held=held.number if held else None,
            last=next(iter(moves), None),
            reached=any(entry.to_version == wanted for entry in moves),
        )


def read_record(text: str, source: Path | str) -> dict[str, str]:
    try:
        return read_versions(text, source=str(source))
    except VersionsInvalid as error:
        raise Misused(str(error)) from error
