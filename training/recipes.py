"""The training half of a model as the stages see it: what every `catalog/<model>/recipe` offers."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, cast

import pandas as pd
from optuna import Trial
from pandera.pandas import DataFrameSchema

from modelkit.definition import ModelDefinition
from modelkit.tally import RowTally

# The folder of a public data set, by its name on Kaggle.
Fetch = Callable[[str], Path]


class Recipe(Protocol):
    """A module. `RAW_FOLDER` is where the folder of raw data sets keeps `RAW_FILES`; `RAW_SCHEMAS` say what is expected
    of each (see `training.validation.raw`).

    `download` gives the raw files as their public source has them now, `synthesise` a seeded stand-in.
    `labelled` gives every raw row that has a label, spoilt features or not, as of its own time: the columns of
    `definition.row`, then label, time, known_at (when the label became known) and entity. `prepare` gives those that are
    worth learning from, with a split: all of `RESERVED` after the row's columns.
    `suggest` draws knobs to override those of the `train` block of `params.yaml`.

    Optional: `weights(rows, params, now)` gives a weight for each row that trains a model at the moment `now` (None where
    the data has no time). `rows` has the feature columns, label, time, known_at, entity and split; `params` is the `train` block.
    Labels that become known late are missing most among the latest rows: weights can make up for that.
    `fitted_on(rows, params)` gives the rows to fit on in place of such rows: without some, or with some again as a caller
    sends them who knows less. `materialise(raw, as_of)`, of a model with a view, gives the view's key and fields for every
    entity, from what happened before that moment. `yardstick(iterations)` names quick models that ours must be worth more
    than (see `modelkit.yardstick`).
    """

    RAW_FOLDER: str
    RAW_SCHEMAS: Mapping[str, DataFrameSchema]
    RAW_FILES: tuple[str, ...]

    def synthesise(self, seed: int) -> dict[str, bytes]: ...

    def download(self, fetch: Fetch) -> dict[str, bytes]: ...

    def labelled(self, raw: Path) -> tuple[pd.DataFrame, RowTally]: ...

    def prepare(self, raw: Path, params: Mapping[str, Any]) -> tuple[pd.DataFrame, RowTally]: ...

    def make_estimator(self, params: Mapping[str, Any], seed: int) -> Any: ...

    def suggest(self, trial: Trial) -> dict[str, Any]: ...


def recipe_of(definition: ModelDefinition) -> Recipe:
    """The recipe of a declared model."""
    return cast(Recipe, importlib.import_module(f"catalog.{definition.package}.recipe"))
