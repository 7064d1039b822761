"""What a search learns and judges on, and how good given knobs are on it: the honest half of `params-search`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from modelkit.definition import ModelDefinition
from training.errors import SearchImpossible
from training.evaluation.scores import outputs_of, score
from training.files import sha256_of
from training.fitting.cuts import Cut
from training.layout import Layout
from training.search.folds import Fold, folds_of

Figures = dict[str, float]
# Knobs, the frame, and which of its rows to learn from; gives a fitted estimator.
Fit = Callable[[Mapping[str, Any], pd.DataFrame, Cut], Any]


@dataclass(frozen=True, kw_only=True)
class Material:
    """Features of the prepared rows, with their label, times, entity and split. `digest` tells one state of the data from
    another."""

    features: pd.DataFrame
    digest: str


def read_material(definition: ModelDefinition, layout: Layout) -> Material:
    """What the stage `featurize` left. Raises SearchImpossible before it ran."""
    if not (layout.features.exists() and layout.rows.exists()):
        raise SearchImpossible(
            f"{layout.features} is not there yet: run `dvc repro featurize@{definition.name}`"
        )
    entities = pd.read_parquet(layout.rows, columns=["entity"])
    features = pd.read_parquet(layout.features).assign(entity=entities["entity"])
    return Material(features=features, digest=sha256_of(layout.features))


class Judge:
    """Scores knobs by fitting them on one fold after the other."""

    def __init__(self, definition: ModelDefinition, fit: Fit, features: pd.DataFrame, seed: int) -> None:
        self._definition, self._fit, self._features = definition, fit, features
        self._folds = folds_of(features, definition.task, seed)
        if not self._folds:
            raise SearchImpossible(f"{definition.name}: too few rows to cut into folds")

    def steps(self, knobs: Mapping[str, Any]) -> Iterator[Figures]:
        """After each fold, the mean of every figure so far: the last one is the verdict."""
        found: list[Figures] = []
        for fold in self._folds:
            found.append(self._figures(knobs, fold))
            yield {name: float(np.mean([each[name] for each in found])) for name in found[0]}

    def _figures(self, knobs: Mapping[str, Any], fold: Fold) -> Figures:
        estimator = self._fit(knobs, self._features, fold.cut)
        judged = self._features[fold.judged]
        outputs = outputs_of(estimator, judged, self._definition)
        return score(self._definition, judged["label"].to_numpy(), outputs)
