"""Forests and boosted trees of scikit-learn, gaps included: skl2onnx loses where a forest sends them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import ensemble, tree
from sklearn.base import is_classifier

from training.compiling.graph.assembly import Assembly, Tensor
from training.compiling.graph.linear import probabilities
from training.compiling.graph.refusal import refuse_unless
from training.compiling.graph.tree_nodes import Tree, add_trees


def add_forest(assembly: Assembly, model: Any, source: Tensor) -> Tensor:
    """The mean over trees: of predictions, or of the shares of each class."""
    refuse_unless(model.n_outputs_ == 1, model, "it has several targets")
    members = getattr(model, "estimators_", [model])
    found = [(0, _tree(member, 1 / len(members))) for member in members]
    return add_trees(assembly, source, found, base=np.zeros(found[0][1].values.shape[1]))


def add_boosting(assembly: Assembly, model: Any, source: Tensor) -> Tensor:
    refuse_unless(
        model.init_ == "zero" or type(model.init_).__module__ == "sklearn.dummy",
        model,
        "its initial model is not a constant",
    )
    found = [
        (offset, _tree(member, model.learning_rate))
        for stage in model.estimators_
        for offset, member in enumerate(stage)
    ]
    base = model._raw_predict_init(np.zeros((1, source.width), dtype=np.float32))[0]
    scores = add_trees(assembly, source, found, base=base)
    return probabilities(assembly, scores) if is_classifier(model) else scores


def add_histogram_boosting(assembly: Assembly, model: Any, source: Tensor) -> Tensor:
    refuse_unless(model.is_categorical_ is None, model, "its own handling of categories is not compiled")
    found = [
        (offset, _histogram_tree(member))
        for stage in model._predictors
        for offset, member in enumerate(stage)
    ]
    scores = add_trees(assembly, source, found, base=np.ravel(model._baseline_prediction))
    if is_classifier(model):
        return probabilities(assembly, scores)
    if getattr(model, "loss", "") in ("poisson", "gamma"):
        return Tensor(assembly.op("Exp", [scores.name]), scores.width)
    return scores


def _tree(member: Any, share: float) -> Tree:
    found = member.tree_
    missing: NDArray[Any] = np.asarray(getattr(found, "missing_go_to_left", np.zeros(found.node_count)))
    return Tree(
        is_leaf=found.children_left < 0,
        left=found.children_left,
        right=found.children_right,
        feature=found.feature,
        threshold=found.threshold,
        missing_left=missing,
        values=found.value[:, 0, :] * share,
    )


def _histogram_tree(member: Any) -> Tree:
    nodes = member.nodes
    return Tree(
        is_leaf=nodes["is_leaf"].astype(bool),
        left=nodes["left"],
        right=nodes["right"],
        feature=nodes["feature_idx"],
        threshold=nodes["num_threshold"],
        missing_left=nodes["missing_go_to_left"],
        values=nodes["value"].reshape(-1, 1),
    )


FORESTS = (
    ensemble.ExtraTreesClassifier,
    ensemble.ExtraTreesRegressor,
    ensemble.RandomForestClassifier,
    ensemble.RandomForestRegressor,
    tree.DecisionTreeClassifier,
    tree.DecisionTreeRegressor,
    tree.ExtraTreeClassifier,
    tree.ExtraTreeRegressor,
)
BOOSTED = (ensemble.GradientBoostingClassifier, ensemble.GradientBoostingRegressor)
HISTOGRAM = (ensemble.HistGradientBoostingClassifier, ensemble.HistGradientBoostingRegressor)

CONVERTERS: dict[type, Any] = {
    **dict.fromkeys(FORESTS, add_forest),
    **dict.fromkeys(BOOSTED, add_boosting),
    **dict.fromkeys(HISTOGRAM, add_histogram_boosting),
}
