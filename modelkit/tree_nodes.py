"""The nodes of an ONNX tree ensemble in one plain form, whatever their modes: left where a feature is at most a threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Bits of the modes: a comparison that yes leads right in, and one that equality is not enough for.
LEAF, AT_MOST, SWAPPED, STRICT, UNKNOWN = 4, 0, 1, 2, 8
MODES = {
    b"LEAF": LEAF,
    b"BRANCH_LEQ": AT_MOST,
    b"BRANCH_LT": STRICT,
    b"BRANCH_GT": SWAPPED,
    b"BRANCH_GTE": SWAPPED | STRICT,
}
SUM, AVERAGE = b"SUM", b"AVERAGE"
FLOATS = 6  # AttributeProto.FLOATS: the onnx library is not in the image, and its messages come from elsewhere there
NODE_LISTS = ("treeids", "nodeids", "featureids", "values", "truenodeids", "falsenodeids")
TARGET_LISTS = ("treeids", "nodeids", "ids", "weights")
LISTS = [f"nodes_{name}" for name in NODE_LISTS] + [f"target_{name}" for name in TARGET_LISTS]
TRACKS = "nodes_missing_value_tracks_true"
LOWEST = np.float32(-np.inf)

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class TreeNodes:
    """Arrays over nodes. A row goes left where its feature is at most the threshold, or missing and `gap_left`.

    `roots`, in the order of the trees, `left` and `right` are places in these arrays; `values` has (nodes, targets).
    What a row gets is the sum of its leaves' values by `divisor`, plus `base`.
    """

    roots: Array
    is_leaf: Array
    feature: Array
    threshold: Array
    gap_left: Array
    left: Array
    right: Array
    values: Array
    base: Array
    divisor: int


def read_nodes(node: Any) -> TreeNodes | None:
    """None for any node but a plain sum or mean of trees of comparisons, written tree by tree, parents first."""
    found = {item.name: item for item in node.attribute}
    if node.op_type != "TreeEnsembleRegressor" or not _is_plain(found):
        return None
    lists = {name: _array(found[name]) for name in LISTS}
    lists["modes"] = np.array([MODES.get(mode, UNKNOWN) for mode in found["nodes_modes"].strings])
    targets = found["n_targets"].i
    values = _leaf_values(lists, targets)
    base = _array(found["base_values"]) if "base_values" in found else np.zeros(targets, dtype=np.float32)
    if not (_is_ordered(lists) and _is_clear(lists)) or values is None or len(base) != targets:
        return None
    tracks = found.get(TRACKS)
    lists[TRACKS] = np.zeros(len(values), dtype=np.int64) if tracks is None else _array(tracks)
    is_mean = "aggregate_function" in found and found["aggregate_function"].s == AVERAGE
    return _nodes(lists, values, base, is_mean=is_mean)


def _array(attribute: Any) -> Array:
    """Without a list of Python's numbers on the way, which takes ten times the memory."""
    if attribute.type == FLOATS:
        return np.fromiter(attribute.floats, np.float32, len(attribute.floats))
    return np.fromiter(attribute.ints, np.int64, len(attribute.ints))


def _is_plain(found: dict[str, Any]) -> bool:
    usual = {"post_transform": (b"NONE",), "aggregate_function": (SUM, AVERAGE)}
    return (
        {*LISTS, "nodes_modes", "n_targets"} <= set(found)
        and all(found[name].s in words for name, words in usual.items() if name in found)
        and not any(name.endswith("_as_tensor") for name in found)
    )


def _is_ordered(lists: dict[str, Array]) -> bool:
    """Trees one after another, their nodes numbered in order, and no way back up or into another tree."""
    trees, numbers = lists["nodes_treeids"], lists["nodes_nodeids"]
    if (np.diff(trees) < 0).any():
        return False
    first, size = np.searchsorted(trees, trees), np.searchsorted(trees, trees, side="right")
    asks = lists["modes"] != LEAF
    children = np.stack([lists["nodes_truenodeids"], lists["nodes_falsenodeids"]])[:, asks]
    goes_down = (children > numbers[asks]) & (children < (size - first)[asks])
    return bool(np.array_equal(numbers, np.arange(len(trees)) - first) and goes_down.all())


def _is_clear(lists: dict[str, Array]) -> bool:
    """Comparisons that can be turned into the one of `TreeNodes`."""
    modes, thresholds = lists["modes"], lists["nodes_values"]
    has_less = (modes & STRICT == 0) | (thresholds > LOWEST)
    return bool((has_less & ~np.isnan(thresholds) & (modes != UNKNOWN)).all())


def _leaf_values(lists: dict[str, Array], targets: int) -> Array | None:
    """One value at most per leaf and target."""
    trees, target = lists["nodes_treeids"], lists["target_ids"]
    place = np.searchsorted(trees, lists["target_treeids"]) + lists["target_nodeids"]
    if (place >= len(trees)).any() or (target >= targets).any() or min(place.min(), target.min()) < 0:
        return None
    is_there = (trees[place] == lists["target_treeids"]) & (lists["modes"][place] == LEAF)
    if not is_there.all() or len(np.unique(place * targets + target)) < len(place):
        return None
    values = np.zeros((len(trees), targets), dtype=np.float32)
    values[place, target] = lists["target_weights"]
    return values


def _nodes(lists: dict[str, Array], values: Array, base: Array, *, is_mean: bool) -> TreeNodes:
    modes, threshold = lists["modes"], lists["nodes_values"]
    first = np.searchsorted(lists["nodes_treeids"], lists["nodes_treeids"])
    roots, swapped, strict = np.unique(first), modes & SWAPPED > 0, modes & STRICT > 0
    with np.errstate(over="ignore"):
        threshold = np.nextafter(threshold, LOWEST, out=threshold, where=strict)
    yes, no = first + lists["nodes_truenodeids"], first + lists["nodes_falsenodeids"]
    return TreeNodes(
        roots=roots,
        is_leaf=modes == LEAF,
        feature=lists["nodes_featureids"],
        threshold=threshold,
        gap_left=(lists[TRACKS] != 0) != swapped,
        left=np.where(swapped, no, yes),
        right=np.where(swapped, yes, no),
        values=values,
        base=base,
        divisor=len(roots) if is_mean else 1,
    )
