"""Symmetric trees over many rows at once, adding up in the order of ONNX Runtime, so that the sums are the same bits.

ONNX Runtime walks one row through one tree at a time: 8 to 20 µs a row for 500 trees. All trees of CatBoost are symmetric
(one question per level), so that a leaf's number is a handful of bits, found for a thousand rows by a few calls of numpy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

# A block's bits, leaf numbers and leaf values together stay within the cache of a core.
BLOCK_ROWS = 1024
# numpy adds a single column pairwise, several columns in order; the order is what makes the bits equal.
LEAST_ROWS = 16
MAX_DEPTH = 8  # a leaf's number is a byte
PLAIN = {"post_transform": b"NONE", "aggregate_function": b"SUM", "n_targets": 1}
UNCHECKED = pc.TakeOptions(boundscheck=False)

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class _Tree:
    questions: list[tuple[int, float]]
    leaves: NDArray[np.float32]


class SymmetricTrees:
    """A sum of trees. `run` takes float32 (rows, features) and gives float32 (rows, 1)."""

    def __init__(self, trees: list[_Tree], base: float) -> None:
        depth = max(len(tree.questions) for tree in trees)
        questions = sorted({question for tree in trees for question in tree.questions})
        place = {question: number + 1 for number, question in enumerate(questions)}  # place 0: always "no"
        self._base = np.float32(base)
        self._per_feature = _thresholds_per_feature(questions)
        self._bits = len(questions) + 1
        self._levels = np.zeros((depth, len(trees)), dtype=np.intp)
        leaves = np.zeros((len(trees), 2**depth), dtype=np.float32)
        for number, tree in enumerate(trees):
            first = depth - len(tree.questions)  # a shallow tree answers "no" to what it does not ask
            self._levels[first:, number] = [place[question] for question in tree.questions]
            leaves[number, : len(tree.leaves)] = tree.leaves
        self._leaves = pa.array(leaves.ravel())
        dtype = np.uint16 if leaves.size <= 2**16 else np.uint32
        self._starts = (np.arange(len(trees)) * 2**depth).astype(dtype)[:, np.newaxis]

    def run(self, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
        rows = len(matrix)
        padded = matrix if rows >= LEAST_ROWS else np.resize(matrix, (LEAST_ROWS, matrix.shape[1]))
        size = min(len(padded), BLOCK_ROWS)
        starts = [min(start, len(padded) - size) for start in range(0, len(padded), size)]
        sums = np.empty((len(padded), 1), dtype=np.float32)
        scratch = _Scratch(self._bits, self._levels.shape[1], size, self._starts.dtype)
        for start in starts:
            sums[start : start + size, 0] = self._sum(padded[start : start + size].T, scratch)
        return sums[:rows]

    def _sum(self, block: NDArray[np.float32], scratch: _Scratch) -> NDArray[np.float32]:
        """`block` is (features, rows)."""
        bits, chosen, numbers = scratch.bits, scratch.chosen, scratch.numbers
        for feature, first, thresholds in self._per_feature:
            answers = bits[first : first + len(thresholds)].view(np.bool_)
            np.greater(block[feature], thresholds, out=answers)
        numbers[:] = 0
        for level in self._levels:
            np.add(numbers, numbers, out=numbers)
            np.take(bits, level, axis=0, out=chosen, mode="clip")
            np.bitwise_or(numbers, chosen, out=numbers)
        np.copyto(scratch.places, numbers)
        np.add(scratch.places, self._starts, out=scratch.places)
        places = pa.array(scratch.places.ravel())
        values = pc.call_function("array_take", [self._leaves, places], UNCHECKED)
        total: NDArray[np.float32] = np.add.reduce(values.to_numpy().reshape(numbers.shape), axis=0)
        return total + self._base


class _Scratch:
    """Memory of one call, used again for each block: a fresh megabyte costs more than what is done with it."""

    def __init__(self, bits: int, trees: int, rows: int, places: np.dtype[Any]) -> None:
        self.bits = np.zeros((bits, rows), dtype=np.uint8)
        self.chosen = np.empty((trees, rows), dtype=np.uint8)
        self.numbers = np.empty((trees, rows), dtype=np.uint8)
        self.places = np.empty((trees, rows), dtype=places)


def read_trees(node: onnx.NodeProto) -> SymmetricTrees | None:
    """None for any node but a plain sum of symmetric trees with one target."""
    if node.op_type != "TreeEnsembleRegressor":
        return None
    found = {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}
    plain = all(found.get(name, expected) == expected for name, expected in PLAIN.items())
    if not plain or any(found.get("nodes_missing_value_tracks_true", ())) or any(found["target_ids"]):
        return None
    trees = _split(found)
    if trees is None:
        return None
    return SymmetricTrees(trees, base=next(iter(found.get("base_values", ())), 0.0))


def _split(found: dict[str, Any]) -> list[_Tree] | None:
    of_node, of_leaf = np.asarray(found["nodes_treeids"]), np.asarray(found["target_treeids"])
    if (np.diff(of_node) < 0).any() or (np.diff(of_leaf) < 0).any():
        return None
    ids = np.unique(of_node)
    nodes, leaves = (
        np.searchsorted(of_node, [*ids, ids[-1] + 1]),
        np.searchsorted(of_leaf, [*ids, ids[-1] + 1]),
    )
    columns = {name: np.asarray(found[f"nodes_{name}"]) for name in NODE_COLUMNS}
    weights = np.asarray(found["target_weights"], dtype=np.float32)
    leaf_ids = np.asarray(found["target_nodeids"])
    trees = []
    for number in range(len(ids)):
        here = slice(nodes[number], nodes[number + 1])
        there = slice(leaves[number], leaves[number + 1])
        tree = _read_tree(
            {name: column[here] for name, column in columns.items()}, leaf_ids[there], weights[there]
        )
        if tree is None:
            return None
        trees.append(tree)
    return trees


NODE_COLUMNS = ("nodeids", "modes", "featureids", "values", "truenodeids", "falsenodeids")


def _read_tree(nodes: dict[str, Array], leaf_ids: Array, weights: Array) -> _Tree | None:
    """A full binary tree in level order with the same question on all nodes of a level; `no` goes left."""
    inner = len(leaf_ids) - 1
    depth = len(leaf_ids).bit_length() - 1
    numbers = np.arange(2 * inner + 1)
    if len(leaf_ids) != 2**depth or depth > MAX_DEPTH or not np.array_equal(nodes["nodeids"], numbers):
        return None
    expected = (
        (nodes["modes"][:inner] == b"BRANCH_GT").all()
        and (nodes["modes"][inner:] == b"LEAF").all()
        and np.array_equal(nodes["falsenodeids"][:inner], 2 * numbers[:inner] + 1)
        and np.array_equal(nodes["truenodeids"][:inner], 2 * numbers[:inner] + 2)
        and np.array_equal(leaf_ids, numbers[inner:])
    )
    levels = [slice(2**level - 1, 2 ** (level + 1) - 1) for level in range(depth)]
    questions = [
        set(zip(nodes["featureids"][level].tolist(), nodes["values"][level].tolist(), strict=True))
        for level in levels
    ]
    if not expected or any(len(question) != 1 for question in questions):
        return None
    return _Tree(questions=[question.pop() for question in questions], leaves=weights)


def _thresholds_per_feature(questions: list[tuple[int, float]]) -> list[tuple[int, int, NDArray[np.float32]]]:
    """Per feature: its number, the row of its first bit, and its thresholds as a column."""
    features = [feature for feature, _ in questions]
    thresholds = np.asarray([threshold for _, threshold in questions], dtype=np.float32)
    return [
        (feature, first + 1, thresholds[first : first + features.count(feature), np.newaxis])
        for feature, first in ((feature, features.index(feature)) for feature in sorted(set(features)))
    ]
