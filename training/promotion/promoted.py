"""A version's servable out of the registry, for commands that use what serving uses."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from modelkit.definition import ModelDefinition
from modelkit.servable import Card, Servable
from training.errors import NotRegistered
from training.local_servable import load_local
from training.promotion.champion import fetch_servable
from training.registry import Registry, said_in_one_line


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """A servable in memory, and in words where it came from."""

    source: str
    servable: Servable


def local_servable(definition: ModelDefinition, folder: Path) -> Chosen:
    return Chosen(source=str(folder), servable=load_local(folder, definition))


def registered_servable(
    definition: ModelDefinition, registry: Registry, *, alias: str, number: str | None
) -> Chosen:
    """The version of that number, otherwise the one that holds the alias. Raises NotRegistered where there is none."""
    name = definition.registry_name
    with said_in_one_line(), tempfile.TemporaryDirectory() as folder:
        version = registry.by_number(name, number) if number else registry.by_alias(name, alias)
        if version is None:
            raise NotRegistered(f"{definition.name} has no version in {alias}")
        servable = fetch_servable(definition, registry, version, Path(folder))
    said = f"version {version.number}" if number else f"version {version.number} ({alias})"
    return Chosen(source=said, servable=servable)


def training_cut(card: Card) -> pd.Timestamp | None:
    """The time up to which labels trained the version; None where its rows have no time."""
    return pd.Timestamp(card.trained_until) if card.trained_until else None
