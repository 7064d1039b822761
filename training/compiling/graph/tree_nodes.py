"""Binary trees as the flat lists that ONNX keeps them in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.compiling.graph.assembly import ML_DOMAIN, Assembly, Tensor

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Tree:
    """Arrays over nodes: a row goes left where its feature is at most the threshold. `values` is (nodes, targets)."""

    is_leaf: Array
    left: Array
    right: Array
    feature: Array
    threshold: Array
    missing_left: Array
    values: Array


def add_trees(
    assembly: Assembly, source: Tensor, trees: Iterable[tuple[int, Tree]], *, base: Array
) -> Tensor:
    """The sum over trees, each adding to the targets from its offset on; `base` has one value per target."""
    nodes: dict[str, list[Array]] = {}
    for number, (offset, tree) in enumerate(trees):
        for name, values in (_nodes(number, tree) | _leaves(number, offset, tree)).items():
            nodes.setdefault(name, []).append(values)
    attributes = {name: np.concatenate(values).tolist() for name, values in nodes.items()}
    name = assembly.op(
        "TreeEnsembleRegressor",
        [assembly.to_float(source).name],
        domain=ML_DOMAIN,
        n_targets=len(base),
        base_values=[float(value) for value in base],
        **attributes,
    )
    return Tensor(name, len(base))


def _nodes(number: int, tree: Tree) -> dict[str, Array]:
    count = len(tree.is_leaf)
    modes = np.where(tree.is_leaf, "LEAF", "BRANCH_LEQ")
    return {
        "nodes_treeids": np.full(count, number),
        "nodes_nodeids": np.arange(count),
        "nodes_modes": modes,
        "nodes_featureids": np.where(tree.is_leaf, 0, tree.feature),
        "nodes_values": np.where(tree.is_leaf, 0.0, _float32_below(tree.threshold)),
        "nodes_truenodeids": np.where(tree.is_leaf, 0, tree.left),
        "nodes_falsenodeids": np.where(tree.is_leaf, 0, tree.right),
        "nodes_missing_value_tracks_true": np.where(tree.is_leaf, 0, tree.missing_left).astype(np.int64),
    }


def _leaves(number: int, offset: int, tree: Tree) -> dict[str, Array]:
    leaves, targets = np.flatnonzero(tree.is_leaf), tree.values.shape[1]
    return {
        "target_treeids": np.full(len(leaves) * targets, number),
        "target_nodeids": np.repeat(leaves, targets),
        "target_ids": np.tile(np.arange(targets) + offset, len(leaves)),
        "target_weights": tree.values[leaves].reshape(-1),
    }


def _float32_below(thresholds: Array) -> Array:
    """The largest float32 that is not above: a float32 is at most the one exactly when it is at most the other."""
    rounded = np.asarray(thresholds, dtype=np.float64).astype(np.float32)
    return np.where(rounded > thresholds, np.nextafter(rounded, np.float32(-np.inf)), rounded)
