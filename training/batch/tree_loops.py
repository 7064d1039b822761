"""Compiled loops over trees and rows, because ONNX Runtime walks one row through one tree at a time.

Per row and target they add in float32, tree after tree, as ONNX Runtime does: so the sums are the same bits. Places in
arrays are not checked here; `tree_nodes.py` refuses trees that could lead outside.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

BLOCK_ROWS = 1024  # what is needed of a block stays within the cache of a core

Integers = NDArray[np.int32]
Unsigned = NDArray[np.uint32]
Floats = NDArray[np.float32]


class SymmetricTrees(NamedTuple):
    """One question per level: the bits of its answers number the leaves. Tree t asks from `first[t]` to `first[t + 1]`."""

    first: Integers
    column: Integers
    threshold: Floats
    first_leaf: Integers
    leaves: Floats  # (targets, leaves)


class BranchingTrees(NamedTuple):
    """A question per node, as four numbers side by side in memory; one is known by the place of its first number.

    They are where its column begins in a block, the bits of its threshold (`thresholds` is the same memory as float32), and
    what comes after it left and right: another question or, below zero, `~leaf`.
    """

    roots: Integers
    questions: Integers
    thresholds: Floats
    leaves: Floats  # (targets, leaves)


class Walk(NamedTuple):
    """Memory for a block of rows: what each has reached, and of those underway which they are and what they are asked."""

    reached: Integers
    row: Unsigned
    question: Unsigned


def _compiled(loop: Callable[..., Any]) -> Any:
    """Kept on disk, so that a machine's first batch compiles and no other; where nothing can be kept, each batch does."""
    try:
        return njit(nogil=True, cache=True)(loop)
    except RuntimeError:
        return njit(nogil=True)(loop)


@_compiled
def add_symmetric(columns: Floats, trees: SymmetricTrees) -> Floats:
    """Sums of shape (targets, rows) over columns of shape (columns, rows)."""
    sums = np.zeros((len(trees.leaves), columns.shape[1]), dtype=np.float32)
    places = np.empty(BLOCK_ROWS, dtype=np.uint32)
    for start in range(0, columns.shape[1], BLOCK_ROWS):
        rows = min(BLOCK_ROWS, columns.shape[1] - start)
        for tree in range(len(trees.first_leaf)):
            _find_leaves(columns, start, trees, tree, places[:rows])
            for target in range(len(sums)):
                leaves = trees.leaves[target, trees.first_leaf[tree] :]
                total = sums[target, start : start + rows]
                for row in range(rows):
                    total[row] += leaves[places[row]]
    return sums


@_compiled
def _find_leaves(columns: Floats, start: int, trees: SymmetricTrees, tree: int, places: Unsigned) -> None:
    rows = len(places)
    places[:] = 0
    for question in range(trees.first[tree], trees.first[tree + 1]):
        values = columns[trees.column[question], start : start + rows]
        threshold = trees.threshold[question]
        for row in range(rows):
            places[row] = (places[row] << 1) | (not values[row] <= threshold)


@_compiled
def add_branching(columns: Floats, trees: BranchingTrees) -> Floats:
    """The same."""
    sums = np.zeros((len(trees.leaves), columns.shape[1]), dtype=np.float32)
    block = np.empty(len(columns) * BLOCK_ROWS, dtype=np.float32)
    walk = Walk(
        np.empty(BLOCK_ROWS, dtype=np.int32),
        np.empty(BLOCK_ROWS, dtype=np.uint32),
        np.empty(BLOCK_ROWS, dtype=np.uint32),
    )
    for start in range(0, columns.shape[1], BLOCK_ROWS):
        rows = min(BLOCK_ROWS, columns.shape[1] - start)
        for place in range(len(columns)):
            block[place * BLOCK_ROWS : place * BLOCK_ROWS + rows] = columns[place, start : start + rows]
        for root in trees.roots:
            _walk_down(block, trees, root, rows, walk)
            for target in range(len(sums)):
                leaves, total = trees.leaves[target], sums[target, start : start + rows]
                for row in range(rows):
                    total[row] += leaves[~walk.reached[row]]
    return sums


@_compiled
def _walk_down(block: Floats, trees: BranchingTrees, root: int, rows: int, walk: Walk) -> None:
    """In each round every row that is underway takes one step: so no step waits for another, and nothing is guessed."""
    for row in range(rows):
        walk.reached[row], walk.row[row], walk.question[row] = root, row, root
    underway = 0 if root < 0 else rows
    while underway:
        still = 0
        for place in range(underway):
            row, question = walk.row[place], walk.question[place]
            value = block[np.uint32(trees.questions[question]) + row]
            is_right = not value <= trees.thresholds[question + np.uint32(1)]
            after = trees.questions[question + np.uint32(2) + np.uint32(is_right)]
            walk.reached[row], walk.row[still], walk.question[still] = after, row, after
            still += after >= 0
        underway = still
