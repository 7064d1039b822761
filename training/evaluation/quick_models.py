"""Our model beside the quick models of its recipe: fitted on the same rows, asked the same questions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score

from modelkit.definition import ModelDefinition, Task
from modelkit.yardstick import Peer, QuickModel
from training.evaluation.paired_gain import Gain, figure_of, paired_gain
from training.evaluation.quick_answers import HeldOut, Trained
from training.evaluation.scores import Array
from training.files import read_json
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
        return cross_validated(trained)
    return held_out(trained)


def held_out(trained: Trained) -> Comparison:
    """On the rows of the test split."""
    rows, yardstick = HeldOut(trained), trained.yardstick
    kinds = {False, *(model.required_only for model in yardstick.models)}
    ours = {bare: rows.losses(rows.our_answers(required_only=bare)) for bare in kinds}
    lines = [
        _compared(yardstick.metric, model, ours[model.required_only], rows.losses(rows.answers(model)))
        for model in yardstick.models
    ]
    whole = figure_of(yardstick.metric, ours[False])
    peers = [(peer, _metrics_of(peer, trained.layout)) for peer in yardstick.peers]
    lines += [_beside(peer, whole, metrics[yardstick.metric]) for peer, metrics in peers if metrics]
    return Comparison(
        definition=trained.definition,
        metric=yardstick.metric,
        judged_on=rows.said(),
        lines=tuple(lines),
        missing=tuple(peer.model for peer, metrics in peers if not metrics),
    )


def cross_validated(trained: Trained) -> Comparison:
    """Small classifiers, by the cross-validation of the stage `evaluate`."""
    definition, metric = trained.definition, trained.yardstick.metric
    knobs, seed = trained.params.evaluate, trained.params.train["seed"]
    splitter = RepeatedStratifiedKFold(n_splits=knobs["folds"], n_repeats=knobs["repeats"], random_state=seed)
    labels, fields = trained.features["label"], trained.rows[list(definition.row.model_fields)]

    def losses(estimator: Any, matrix: pd.DataFrame) -> Array:
        return np.asarray(1 - cross_val_score(estimator, matrix, labels, cv=splitter, scoring=metric))

    estimator = recipe_of(definition).make_estimator(trained.params.train, seed)
    ours = losses(estimator, trained.features[list(definition.feature_columns)])
    lines = [
        _compared(metric, model, ours, losses(model.estimator, model.columns(fields)))
        for model in trained.yardstick.models
    ]
    said = f"{len(labels)} rows, {knobs['folds']}-fold cross-validation, {knobs['repeats']} times"
    return Comparison(definition=definition, metric=metric, judged_on=said, lines=tuple(lines))


def _compared(metric: str, model: QuickModel, ours: Array, theirs: Array) -> Compared:
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
    found: dict[str, float] = read_json(path)["overall"] if path.exists() else {}
    return found


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
