"""Whether a compiled model is, but for bounds, a weighted sum of trees over its features; and if so, which.

The graph is followed node by node. A tensor is a choice of features (with what stands in for a missing one), or a sum of
ensembles, or nothing known. What is found is a claim: whoever uses it compares its sums with the model's outputs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from modelkit.onnx_messages import read_graph, tensor_values
from modelkit.runtime import INPUT_NAME
from modelkit.tree_nodes import TreeNodes, read_nodes

Array = NDArray[Any]


class Chosen(NamedTuple):
    """Columns of a tensor: which feature each is, and its filling, NaN where gaps stay."""

    features: Array
    filling: Array


class Gaps(NamedTuple):
    """Where a choice of features is missing."""

    of: Chosen


class Ensemble(NamedTuple):
    nodes: TreeNodes
    over: Chosen
    scale: float


class TreeSum(NamedTuple):
    ensembles: tuple[Ensemble, ...]


def tree_sum(model: bytes, width: int) -> TreeSum | None:
    """The largest sum of trees in a graph over `width` features; None where there is none."""
    graph = read_graph(model)
    known: dict[str, Any] = {tensor.name: tensor_values(tensor) for tensor in graph.initializer}
    known[INPUT_NAME] = Chosen(np.arange(width), np.full(width, np.nan))
    largest: TreeSum | None = None
    for node in graph.node:
        rule = RULES.get(node.op_type)
        found = None if rule is None else rule(node, [known.get(name) for name in node.input])
        known[node.output[0]] = found
        if isinstance(found, TreeSum) and len(found.ensembles) >= len(largest.ensembles if largest else ()):
            largest = found
    return largest


def _gaps(node: Any, inputs: list[Any]) -> Gaps | None:
    return Gaps(inputs[0]) if isinstance(inputs[0], Chosen) else None


def _filled(node: Any, inputs: list[Any]) -> Chosen | None:
    gaps, filling, column = inputs
    if not (isinstance(gaps, Gaps) and isinstance(filling, np.ndarray) and isinstance(column, Chosen)):
        return None
    if not np.array_equal(gaps.of.features, column.features):
        return None
    wanted = np.broadcast_to(filling.ravel(), column.features.shape)
    return Chosen(column.features, np.where(np.isnan(column.filling), wanted, column.filling))


def _gathered(node: Any, inputs: list[Any]) -> Chosen | None:
    chosen, places = inputs
    axis = next((item.i for item in node.attribute if item.name == "axis"), 0)
    if not (isinstance(chosen, Chosen) and isinstance(places, np.ndarray) and axis == 1):
        return None
    return Chosen(chosen.features[places.ravel()], chosen.filling[places.ravel()])


def _concatenated(node: Any, inputs: list[Any]) -> Chosen | None:
    if not all(isinstance(each, Chosen) for each in inputs):
        return None
    return Chosen(*(np.concatenate(parts) for parts in zip(*inputs, strict=True)))


def _trees(node: Any, inputs: list[Any]) -> TreeSum | None:
    nodes = read_nodes(node) if isinstance(inputs[0], Chosen) else None
    if nodes is None or nodes.values.shape[1] != 1:
        return None
    return TreeSum((Ensemble(nodes, inputs[0], 1 / nodes.divisor),))


def _same(node: Any, inputs: list[Any]) -> Any:
    return inputs[0]


def _bounded(node: Any, inputs: list[Any]) -> TreeSum | None:
    sums = [each for each in inputs if isinstance(each, TreeSum)]
    return sums[0] if len(sums) == 1 else None


def _scaled(node: Any, inputs: list[Any]) -> TreeSum | None:
    first, second = inputs
    if isinstance(second, TreeSum) and node.op_type == "Mul":
        first, second = second, first
    if not (isinstance(first, TreeSum) and isinstance(second, np.ndarray) and second.size == 1):
        return None
    factor = float(second.ravel()[0])
    factor = factor if node.op_type == "Mul" else 1 / factor
    return TreeSum(tuple(each._replace(scale=each.scale * factor) for each in first.ensembles))


def _added(node: Any, inputs: list[Any]) -> TreeSum | None:
    """Constants are left out: what is added to every row contributes nothing."""
    sums = [each for each in inputs if isinstance(each, TreeSum)]
    if not sums or not all(isinstance(each, TreeSum | np.ndarray) for each in inputs):
        return None
    return TreeSum(tuple(ensemble for each in sums for ensemble in each.ensembles))


RULES: dict[str, Callable[[Any, list[Any]], Any]] = {
    "IsNaN": _gaps,
    "Where": _filled,
    "Gather": _gathered,
    "Concat": _concatenated,
    "Cast": _same,
    "Identity": _same,
    "TreeEnsembleRegressor": _trees,
    "Max": _bounded,
    "Mul": _scaled,
    "Div": _scaled,
    "Add": _added,
    "Sum": _added,
}
