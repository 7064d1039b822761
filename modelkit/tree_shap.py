"""Exact Shapley values of a sum of trees, features as players, against each background row (interventional TreeSHAP).

A leaf asks an interval of each feature on its way. Against one background row it is reached by those coalitions that hold
every feature only the row satisfies and none that only the background row does; the Shapley value of such a game has a
closed form, so every leaf is looked at once per background row.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from modelkit.tree_nodes import TreeNodes
from modelkit.tree_sums import Ensemble, tree_sum

Array = NDArray[Any]
UNASKED = -1


class Leaves(NamedTuple):
    """`feature`, `low` and `high` have shape (leaves, most features of any); a leaf wants low < value <= high of each."""

    feature: Array
    low: Array
    high: Array
    value: Array


class TreeValues:
    """The sum of trees that a compiled model's file holds, if it holds one; looked for when it is first asked."""

    def __init__(self, graph: bytes, width: int) -> None:
        self._graph, self._width = graph, width

    @cached_property
    def _parts(self) -> list[tuple[Ensemble, Leaves]]:
        total = tree_sum(self._graph, self._width)
        return [(each, _leaves(each)) for each in total.ensembles] if total else []

    def of(self, row: Array, background: Array) -> Array | None:
        """Contributions of the features, the mean over the background.

        None without trees, and where a gap meets trees that have no filling for it.
        """
        total = np.zeros(row.shape[1])
        for ensemble, leaves in self._parts:
            columns, others = _filled(ensemble, row), _filled(ensemble, background)
            if np.isnan(columns).any() or np.isnan(others).any():
                return None
            wanted = _satisfied(leaves, columns[0])
            for other in others:
                total += _against(leaves, wanted, _satisfied(leaves, other), len(total))
        return total / len(background) if self._parts else None


def _against(leaves: Leaves, by_row: Array, by_other: Array, width: int) -> Array:
    reached = (by_row | by_other).all(axis=1)
    only_row, only_other = by_row[reached] & ~by_other[reached], by_other[reached] & ~by_row[reached]
    rows, others = only_row.sum(axis=1), only_other.sum(axis=1)
    gain, loss = _weights(leaves.feature.shape[1])
    value = leaves.value[reached]
    each = np.where(only_row, (value * gain[rows, others])[:, np.newaxis], 0.0)
    each -= np.where(only_other, (value * loss[rows, others])[:, np.newaxis], 0.0)
    asked = leaves.feature[reached]
    return np.bincount(asked[asked != UNASKED], weights=each[asked != UNASKED], minlength=width)


def _weights(most: int) -> tuple[Array, Array]:
    """By how many features only the row satisfies, and how many only the other: for one of these, and for one of those."""
    gain, loss = np.zeros((most + 1, most + 1)), np.zeros((most + 1, most + 1))
    for rows in range(most + 1):
        for others in range(most + 1 - rows):
            ways = math.factorial(rows + others)
            if rows:
                gain[rows, others] = math.factorial(rows - 1) * math.factorial(others) / ways
            if others:
                loss[rows, others] = math.factorial(rows) * math.factorial(others - 1) / ways
    return gain, loss


def _satisfied(leaves: Leaves, values: Array) -> Array:
    found = values[leaves.feature]  # -1 is the last one's, and its interval holds everything
    return (found > leaves.low) & (found <= leaves.high)


def _filled(ensemble: Ensemble, rows: Array) -> Array:
    """By feature, as the ensemble sees it: NaN only where it would see a gap."""
    filled = rows.astype(np.float32, copy=True)
    over = ensemble.over
    columns = filled[:, over.features]
    filled[:, over.features] = np.where(np.isnan(columns), over.filling.astype(np.float32), columns)
    unused = np.setdiff1d(np.arange(rows.shape[1]), over.features[np.unique(_asked(ensemble.nodes))])
    filled[:, unused] = 0.0
    return filled


def _asked(nodes: TreeNodes) -> Array:
    return nodes.feature[~nodes.is_leaf]


def _leaves(ensemble: Ensemble) -> Leaves:
    """Level by level through all trees at once, intervals narrowing on the way down."""
    nodes, width = ensemble.nodes, int(ensemble.over.features.max()) + 1
    at, low = nodes.roots, np.full((len(nodes.roots), width), -np.inf, dtype=np.float32)
    high = np.full_like(low, np.inf)
    done: list[tuple[Array, Array, Array]] = []
    while len(at):
        ends = nodes.is_leaf[at]
        done.append((low[ends], high[ends], nodes.values[at[ends], 0]))
        at, low, high = _one_down(ensemble, at[~ends], low[~ends], high[~ends])
    lows, highs, values = (np.concatenate(parts) for parts in zip(*done, strict=True))
    return _packed(lows, highs, values.astype(np.float64) * ensemble.scale)


def _one_down(ensemble: Ensemble, at: Array, low: Array, high: Array) -> tuple[Array, Array, Array]:
    nodes, each = ensemble.nodes, np.arange(len(at))
    feature, threshold = ensemble.over.features[nodes.feature[at]], nodes.threshold[at]
    left_high, right_low = high.copy(), low.copy()
    left_high[each, feature] = np.minimum(high[each, feature], threshold)
    right_low[each, feature] = np.maximum(low[each, feature], threshold)
    return (
        np.concatenate([nodes.left[at], nodes.right[at]]),
        np.concatenate([low, right_low]),
        np.concatenate([left_high, high]),
    )


def _packed(low: Array, high: Array, value: Array) -> Leaves:
    """Only the features that a leaf asks for: a handful of many."""
    asked = np.isfinite(low) | np.isfinite(high)
    most = max(int(asked.sum(axis=1).max()), 1)
    feature = np.argsort(~asked, axis=1, kind="stable")[:, :most]
    there = np.take_along_axis(asked, feature, axis=1)
    return Leaves(
        feature=np.where(there, feature, UNASKED),
        low=np.where(there, np.take_along_axis(low, feature, axis=1), -np.inf).astype(np.float32),
        high=np.where(there, np.take_along_axis(high, feature, axis=1), np.inf).astype(np.float32),
        value=value,
    )
