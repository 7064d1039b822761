"""Our model beside the quick models of its recipe: fitted on the same rows, asked the same questions.

Nothing here can favour either side: a quick model gets the rows that trained the judged one and no others, makes what it
sees of columns that hold no label, and answers the rows that `metrics.json` is about.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score

from modelkit.definition import ModelDefinition, Task
from modelkit.yardstick import Peer, QuickModel, Yardstick
from training.evaluation.paired_gain import Gain, figure_of, losses_of, paired_gain
from training.evaluation.required_only import required_only_features
from training.evaluation.scores import Array, outputs_of
from training.files import read_json
from training.fitting.cuts import evaluation_cut
from training.fitting.fit import weight_argument
from training.fitting.pipeline_file import load_pipeline
from training.layout import Layout
from training.params import ModelParams
from training.recipes import recipe_of


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One quick model beside ours. `needed` is the gain that is asked for, None where none is."""

    name: str
    required_only: bool
    theirs: float
    ours: float
    gain: Gain
    needed: float | None

    @property
    def reached(self) -> bool:
        return self.needed is None or self.gain.share >= self.needed


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """`judged_on` says which rows. `missing` are models of the catalog that should be here and are not trained."""

    definition: ModelDefinition
    metric: str
    judged_on: str
    lines: tuple[Compared, ...]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Trained:
    """What the stages left of a model, and what it is to be measured by."""

    definition: ModelDefinition
    params: ModelParams
    layout: Layout
    yardstick: Yardstick
    rows: pd.DataFrame
    features: pd.DataFrame


def compare_with_quick_models(
    definition: ModelDefinition, params: ModelParams, layout: Layout, *, iterations: int
) -> Comparison | None:
    """None where the recipe names no quick models. Raises FileNotFoundError before the stages ran."""
    declare = getattr(recipe_of(definition), "yardstick", None)
    if declare is None:
        return None
    trained = Trained(
        definition=definition,
        params=params,
        layout=layout,
        yardstick=declare(iterations),
        rows=pd.read_parquet(layout.rows),
        features=pd.read_parquet(layout.features),
    )
    if definition.task is Task.CLASSIFICATION and params.evaluate["folds"]:
        return _crossed(trained)
    return HeldOut(trained).comparison()


class HeldOut:
    """The judged model and quick ones on the rows of the test split."""

    def __init__(self, trained: Trained) -> None:
        self._trained, self._metric = trained, trained.yardstick.metric
        self._fields = list(trained.definition.row.model_fields)
        self._cut = evaluation_cut(trained.features)
        self._known = trained.rows[self._cut.rows]
        self._test = (trained.rows["split"] == "test").to_numpy()
        self._asked = trained.rows[self._test]
        labels = self._asked["label"]
        share = trained.yardstick.usual_share
        self._usual = np.full(len(labels), fill_value=True)
        if share < 1:
            self._usual = (labels <= labels.quantile(share)).to_numpy()

    def comparison(self) -> Comparison:
        trained = self._trained
        ours = {bare: self._losses(self._our_answers(required_only=bare)) for bare in self._kinds()}
        lines = [
            compared(self._metric, model, ours[model.required_only], self._losses(self.answers(model)))
            for model in trained.yardstick.models
        ]
        whole = figure_of(self._metric, ours[False])
        peers = [(peer, _metrics_of(peer, trained.layout)) for peer in trained.yardstick.peers]
        lines += [_beside(peer, whole, metrics[self._metric]) for peer, metrics in peers if metrics]
        return Comparison(
            definition=trained.definition,
            metric=self._metric,
            judged_on=self._said(),
            lines=tuple(lines),
            missing=tuple(peer.model for peer, metrics in peers if not metrics),
        )

    def answers(self, model: QuickModel) -> Array:
        """Of a quick model. Where a column that is the answer has a gap, the median of the known labels stands in."""
        seen = model.columns(self._asked[self._fields])
        if model.estimator is None:
            return np.asarray(seen.iloc[:, 0].fillna(self._known["label"].median()))
        return np.asarray(self._fitted(model).predict(seen))

    def _fitted(self, model: QuickModel) -> Any:
        known, estimator, weighted = self._known, clone(model.estimator), {}
        if model.usable is not None:
            known = known[model.usable(known.drop(columns="label"))]
        if model.weights is not None:
            weighted[weight_argument(estimator)] = model.weights(known.drop(columns="label"), self._cut.now)
        return estimator.fit(model.columns(known[self._fields]), known["label"], **weighted)

    def _kinds(self) -> set[bool]:
        return {False, *(model.required_only for model in self._trained.yardstick.models)}

    def _our_answers(self, *, required_only: bool) -> Array:
        definition, features = self._trained.definition, self._trained.features[self._test]
        if required_only:
            features = required_only_features(definition, self._asked)
        outputs = outputs_of(load_pipeline(self._trained.layout.evaluated_pipeline), features, definition)
        if definition.task is Task.REGRESSION:
            return np.asarray(outputs[:, 0])
        return np.asarray(definition.classes, dtype=object)[outputs.argmax(axis=1)]

    def _losses(self, answers: Array) -> Array:
        least = self._trained.definition.least
        bounded = answers if least is None else np.maximum(answers, least)
        return losses_of(self._metric, self._asked["label"].to_numpy()[self._usual], bounded[self._usual])

    def _said(self) -> str:
        share = self._trained.yardstick.usual_share
        which = "" if share == 1 else f" whose label is among the {share:.0%} smallest"
        return f"{int(self._usual.sum()):,} test rows{which}; quick models learn from the {len(self._known):,} rows that ours did"


def _crossed(trained: Trained) -> Comparison:
    """Small classifiers, by the cross-validation of the stage `evaluate`."""
    knobs, seed, metric = trained.params.evaluate, trained.params.train["seed"], trained.yardstick.metric
    splitter = RepeatedStratifiedKFold(n_splits=knobs["folds"], n_repeats=knobs["repeats"], random_state=seed)
    labels = trained.features["label"]

    def losses(estimator: Any, matrix: pd.DataFrame) -> Array:
        return np.asarray(1 - cross_val_score(estimator, matrix, labels, cv=splitter, scoring=metric))

    definition = trained.definition
    ours = losses(
        recipe_of(definition).make_estimator(trained.params.train, seed),
        trained.features[list(definition.feature_columns)],
    )
    fields = trained.rows[list(definition.row.model_fields)]
    lines = [
        compared(metric, model, ours, losses(model.estimator, model.columns(fields)))
        for model in trained.yardstick.models
    ]
    said = f"{len(labels)} rows, {knobs['folds']}-fold cross-validation, {knobs['repeats']} times"
    return Comparison(definition=definition, metric=metric, judged_on=said, lines=tuple(lines))


def compared(metric: str, model: QuickModel, ours: Array, theirs: Array) -> Compared:
    return Compared(
        name=model.name,
        required_only=model.required_only,
        theirs=figure_of(metric, theirs),
        ours=figure_of(metric, ours),
        gain=paired_gain(metric, ours, theirs),
        needed=model.gain,
    )


def _metrics_of(peer: Peer, layout: Layout) -> dict[str, float]:
    path = Layout(model=peer.model, root=layout.root).metrics
    return read_json(path)["overall"] if path.exists() else {}


def _beside(peer: Peer, ours: float, figure: float) -> Compared:
    theirs = figure * peer.factor
    return Compared(
        name=f"{peer.model}, in these units",
        required_only=False,
        theirs=theirs,
        ours=ours,
        gain=Gain(share=1 - ours / theirs),
        needed=peer.gain,
    )
