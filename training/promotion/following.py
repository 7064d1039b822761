"""Aliases that go where a merged commit wants them: forwards through every gate, or back to what was approved before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import Engine

from modelkit.definition import ModelDefinition
from training.errors import RecordsFailed, RegistryFailed, TrainingError
from training.promotion.alias_ledger import NOBODY, Move
from training.promotion.judging import Rules
from training.promotion.promote import Promoter
from training.promotion.record import FROM_GIT
from training.registry import Registry
from training.version import PRODUCTION


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a merged commit wants for one model. `expected` is where the alias should be until then; None: anywhere."""

    model: str
    version: str
    expected: str | None = None


def wishes(now: dict[str, str], earlier: dict[str, str] | None) -> Iterator[Wish]:
    """Of every line; with an earlier text of the file only of lines that changed, which then say what is expected."""
    for model, version in now.items():
        if earlier is None:
            yield Wish(model=model, version=version)
        elif earlier.get(model) != version:
            yield Wish(model=model, version=version, expected=earlier.get(model, NOBODY))


class Follower:
    """Moves one alias of each model. `reason` names the commit that wants it, `actor` who merged."""

    def __init__(self, registry: Registry, ledger: Engine, rules: Rules, *, actor: str, reason: str) -> None:
        self._registry, self._ledger, self._rules = registry, ledger, rules
        self._actor, self._reason = actor, FROM_GIT + reason

    def follow_all(self, catalog: dict[str, ModelDefinition], alias: str, asked: Iterable[Wish]) -> list[str]:
        """A line for each wish. Raises the gravest refusal when all were tried, with what became of each of them."""
        said: list[str] = []
        refused: list[TrainingError] = []
        for wish in asked:
            try:
                said.append(f"  {self.follow(catalog[wish.model], alias, wish)}")
            except (RegistryFailed, RecordsFailed):
                raise  # nobody answers: the others would fare no better
            except TrainingError as error:
                refused.append(error)
                said.append(f"  {wish.model}: not moved: {error}")
        if refused:
            gravest = max(refused, key=lambda error: error.exit_code)
            raise type(gravest)(
                "\n".join([f"{len(refused)} of {len(said)} aliases could not follow Git", *said])
            )
        return said

    def follow(self, definition: ModelDefinition, alias: str, wish: Wish) -> str:
        """Says what was moved; nothing where the alias is there already.

        A version that was in production before is gone back to: the one that is left is withdrawn, as by any rollback.
        """
        target = self._registry.by_number(definition.registry_name, wish.version)
        if alias in target.aliases:
            return f"{wish.model}: {alias} is version {target.number} already; nothing was moved"
        move = Move(alias=alias, actor=self._actor, reason=self._reason, expected=wish.expected)
        promoter = Promoter(definition, self._registry, self._ledger, self._rules)
        back = alias == PRODUCTION and target.approved
        moved = (promoter.rollback if back else promoter.promote)(move, target.number)
        return f"{wish.model}: {moved.sentence(alias)}"
