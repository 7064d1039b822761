"""What a search learns and judges on, and how good given knobs are on it: the honest half of `params-search`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from modelkit.definition import ModelDefinition
from training.errors import SearchImpossible
from training.files import sha256_of
from training.folds import Fold, folds_of
from training.layout import Layout
from training.recipes import Recipe
from training.scores import outputs_of, score

Figures = dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Material:
    """Prepared rows and their features, row for row. `digest` tells one state of the data from another."""

    rows: pd.DataFrame
    features: pd.DataFrame
    digest: str


def read_material(definition: ModelDefinition, layout: Layout) -> Material:
    """What the stage `featurize` left. Raises SearchImpossible before it ran."""
    if not (layout.features.exists() and layout.rows.exists()):
        raise SearchImpossible(
            f"{layout.features} is not there yet: run `dvc repro featurize@{definition.name}`"
        )
    digests = sha256_of(layout.rows) + sha256_of(layout.features)
    features = pd.read_parquet(layout.features, columns=[*definition.feature_columns, "label"])
    return Material(
        rows=pd.read_parquet(layout.rows),
        features=features,
        digest=hashlib.sha256(digests.encode()).hexdigest(),
    )


class Judge:
    """Scores knobs by fitting them on one fold after the other."""

    def __init__(self, definition: ModelDefinition, recipe: Recipe, material: Material, seed: int) -> None:
        self._definition, self._recipe, self._material = definition, recipe, material
        self._folds = folds_of(material.rows, definition.task, seed)
        if not self._folds:
            raise SearchImpossible(f"{definition.name}: too few rows to cut into folds")

    def steps(self, knobs: Mapping[str, Any]) -> Iterator[Figures]:
        """After each fold, the mean of every figure so far: the last one is the verdict."""
        found: list[Figures] = []
        for fold in self._folds:
            found.append(self._figures(knobs, fold))
            yield {name: float(np.mean([each[name] for each in found])) for name in found[0]}

    def _figures(self, knobs: Mapping[str, Any], fold: Fold) -> Figures:
        features = self._material.features
        fitted = features.iloc[fold.fit]
        judged = features.iloc[fold.judge]
        estimator = self._recipe.make_estimator(knobs, knobs["seed"])
        estimator.fit(fitted[list(self._definition.feature_columns)], fitted["label"])
        return score(
            self._definition, judged["label"].to_numpy(), outputs_of(estimator, judged, self._definition)
        )
