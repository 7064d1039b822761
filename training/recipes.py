"""The training half of a model as the stages see it: what every `catalog/<model>/recipe` offers."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, cast

import pandas as pd

from modelkit.definition import ModelDefinition
from modelkit.tally import RowTally


class Recipe(Protocol):
    """Functions of a module. `prepare` gives the request columns plus `RESERVED`, in that order."""

    RAW_FILES: tuple[str, ...]

    def synthesise(self, seed: int) -> dict[str, bytes]: ...

    def prepare(self, raw: Path, params: Mapping[str, Any]) -> tuple[pd.DataFrame, RowTally]: ...

    def make_estimator(self, params: Mapping[str, Any], seed: int) -> Any: ...


def recipe_of(definition: ModelDefinition) -> Recipe:
    """The recipe of a declared model."""
    return cast(Recipe, importlib.import_module(f"catalog.{definition.package}.recipe"))
