"""What the judged model and quick models answer to the rows of the test split.

Nothing here can favour either side: a quick model gets the rows that trained the judged one and no others, makes what it
sees of columns that hold no label, and answers the rows that `metrics.json` is about.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from modelkit.definition import ModelDefinition, Task
from modelkit.yardstick import QuickModel, Yardstick
from training.evaluation.paired_gain import losses_of
from training.evaluation.required_only import required_only_features
from training.evaluation.scores import Array, outputs_of
from training.fitting.cuts import evaluation_cut
from training.fitting.fit import weight_argument
from training.fitting.pipeline_file import load_pipeline
from training.layout import Layout
from training.params import ModelParams


@dataclass(frozen=True, kw_only=True)
class Trained:
    """What the stages left of a model, and what it is to be measured by."""

    definition: ModelDefinition
    params: ModelParams
    layout: Layout
    yardstick: Yardstick
    rows: pd.DataFrame
    features: pd.DataFrame


class HeldOut:
    """The test split, and what was known before the validation split began."""

    def __init__(self, trained: Trained) -> None:
        self._trained = trained
        self._fields = list(trained.definition.row.model_fields)
        self._cut = evaluation_cut(trained.features)
        self._known = trained.rows[self._cut.rows]
        self._test = (trained.rows["split"] == "test").to_numpy()
        self._asked = trained.rows[self._test]
        labels, share = self._asked["label"], trained.yardstick.usual_share
        self._usual = np.full(len(labels), fill_value=True)
        if share < 1:
            self._usual = (labels <= labels.quantile(share)).to_numpy()

    def losses(self, answers: Array) -> Array:
        """Of the rows that count, no answer being below the least that there is."""
        definition = self._trained.definition
        bounded = answers if definition.least is None else np.maximum(answers, definition.least)
        labels = self._asked["label"].to_numpy()
        return losses_of(self._trained.yardstick.metric, labels[self._usual], bounded[self._usual])

    def our_answers(self, *, required_only: bool) -> Array:
        definition, features = self._trained.definition, self._trained.features[self._test]
        if required_only:
            features = required_only_features(definition, self._asked)
        outputs = outputs_of(load_pipeline(self._trained.layout.evaluated_pipeline), features, definition)
        if definition.task is Task.REGRESSION:
            return np.asarray(outputs[:, 0])
        return np.asarray([definition.classes[place] for place in outputs.argmax(axis=1)], dtype=object)

    def answers(self, model: QuickModel) -> Array:
        """Of a quick model. Where a column that is the answer has a gap, the median of the known labels stands in."""
        seen = model.columns(self._asked[self._fields])
        if model.estimator is None:
            return np.asarray(seen.iloc[:, 0].fillna(self._known["label"].median()))
        return np.asarray(self._fitted(model).predict(seen))

    def said(self) -> str:
        """Which rows these are."""
        share = self._trained.yardstick.usual_share
        which = "" if share == 1 else f" whose label is among the {share:.0%} smallest"
        known = f"quick models learn from the {len(self._known):,} rows that ours did"
        return f"{int(self._usual.sum()):,} test rows{which}; {known}"

    def _fitted(self, model: QuickModel) -> Any:
        known, estimator, weighted = self._known, clone(model.estimator), {}
        if model.usable is not None:
            known = known[model.usable(known.drop(columns="label"))]
        if model.weights is not None:
            weighted[weight_argument(estimator)] = model.weights(known.drop(columns="label"), self._cut.now)
        return estimator.fit(model.columns(known[self._fields]), known["label"], **weighted)
