"""Trained stages of iris, for tests of the registry: what is registered, promoted and rolled back there."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from sqlalchemy import Engine

from modelkit.definition import load_catalog
from records.ledger import LedgerEntry, history
from training.layout import Layout
from training.params import read_params
from training.promotion.alias_ledger import Move
from training.promotion.promote import Promoter
from training.registry import Registry
from training.version import PRODUCTION, Version

IRIS = load_catalog()["iris"]
SOLVER = read_params("iris").train["discriminant"]["solver"]
Register = Callable[[Layout], Version]
MOVE = Move(alias=PRODUCTION, actor="ada", reason="because")


@dataclasses.dataclass(frozen=True)
class Trained:
    """Stage outputs of two equally good models and of a worse one."""

    first: Layout
    second: Layout
    worse: Layout


def in_production(registry: Registry) -> str | None:
    version = registry.by_alias(IRIS.registry_name, PRODUCTION)
    return version.number if version else None


def of_production(ledger: Engine) -> list[LedgerEntry]:
    return [entry for entry in history(ledger, "iris") if entry.alias == PRODUCTION]


def promote_both(trained: Trained, register: Register, promoter: Promoter) -> None:
    for layout in (trained.first, trained.second):
        register(layout)
        promoter.promote(MOVE)
