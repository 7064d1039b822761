"""Trees of an ONNX graph over many rows at once, to the bits of ONNX Runtime and many times faster."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelkit.tree_nodes import LOWEST, TreeNodes
from training.batch.tree_loops import (
    BLOCK_ROWS,
    BranchingTrees,
    SymmetricTrees,
    add_branching,
    add_symmetric,
)

Array = NDArray[Any]


class Trees:
    """`run` takes float32 (rows, features) and gives float32 (rows, targets).

    `features` and `thresholds` are those of the questions, one by one.
    """

    def __init__(self, nodes: TreeNodes) -> None:
        asks = ~nodes.is_leaf
        self.features, self.thresholds = nodes.feature[asks], nodes.threshold[asks]
        # A feature is two columns where its gaps go left in one question and right in another.
        asked, column = np.unique(2 * self.features + nodes.gap_left[asks], return_inverse=True)
        self._features, self._gaps_left = asked // 2, np.flatnonzero(asked % 2)
        self._base, self._divisor = nodes.base[:, np.newaxis], np.float32(nodes.divisor)
        columns = np.full(len(asks), -1)
        columns[asks] = column
        symmetric = _symmetric(nodes, columns)
        self.is_symmetric = symmetric is not None
        self._trees = symmetric or _branching(nodes, columns)
        self._add: Any = add_symmetric if self.is_symmetric else add_branching

    def run(self, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
        columns = np.ascontiguousarray(matrix.T[self._features])
        for place in self._gaps_left:  # a gap is at most every threshold, as nothing else is but -inf
            np.copyto(columns[place], LOWEST, where=np.isnan(columns[place]))
        sums: NDArray[np.float32] = self._add(columns, self._trees)
        sums /= self._divisor
        sums += self._base
        return np.ascontiguousarray(sums.T)


def _symmetric(nodes: TreeNodes, columns: Array) -> SymmetricTrees | None:
    """None unless all trees are: full, with the same question on all nodes of a level."""
    questions: list[int] = []
    firsts, leaves = [0], []
    for root in nodes.roots:
        level = np.array([root])
        while not nodes.is_leaf[level].all():
            is_one = (columns[level] == columns[level[0]]) & (
                nodes.threshold[level] == nodes.threshold[level[0]]
            )
            if not is_one.all():
                return None
            questions.append(level[0])
            level = np.stack([nodes.left[level], nodes.right[level]], axis=1).ravel()
        firsts.append(len(questions))
        leaves.append(level)
    first_leaf = np.cumsum([0, *(len(found) for found in leaves[:-1])])
    return SymmetricTrees(
        first=np.array(firsts, dtype=np.int32),
        column=columns[questions].astype(np.int32),
        threshold=nodes.threshold[questions],
        first_leaf=first_leaf.astype(np.int32),
        leaves=np.ascontiguousarray(nodes.values[np.concatenate(leaves)].T),
    )


def _branching(nodes: TreeNodes, columns: Array) -> BranchingTrees:
    asks = ~nodes.is_leaf
    number = np.where(asks, 4 * (np.cumsum(asks) - 1), -np.cumsum(nodes.is_leaf)).astype(np.int32)
    questions = np.stack(
        [
            columns[asks].astype(np.int32) * BLOCK_ROWS,
            nodes.threshold[asks].view(np.int32),
            number[nodes.left[asks]],
            number[nodes.right[asks]],
        ],
        axis=1,
    )
    return BranchingTrees(
        roots=number[nodes.roots],
        questions=questions.ravel(),
        thresholds=questions.ravel().view(np.float32),
        leaves=np.ascontiguousarray(nodes.values[nodes.is_leaf].T),
    )
