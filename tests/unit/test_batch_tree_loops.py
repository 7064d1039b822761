"""Any trees that a node can hold: compiled loops and ONNX Runtime answer every row alike, to the bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from modelkit.runtime import onnx_runtime
from modelkit.tree_nodes import read_nodes
from training.batch.tree_loops import BLOCK_ROWS
from training.batch.trees import Trees

FEATURES = 3
# Few, so that values meet thresholds; the least that float32 knows, beside zero, and the largest.
NUMBERS = np.asarray([-np.inf, -3.4e38, -1.5, -1e-45, -0.0, 0.0, 1e-45, 0.1, 1.5, 3.4e38, np.inf], np.float32)
VOTE = ("target_treeids", "target_nodeids", "target_ids", "target_weights")
MODES = ("BRANCH_LEQ", "BRANCH_LT", "BRANCH_GT", "BRANCH_GTE")
seeds = st.integers(0, 2**32 - 1)


def branching_tree(random: Any, targets: int) -> list[dict[str, Any]]:
    """Splits leaves at random, so that trees lean to any side; a tree may be one leaf."""
    nodes: list[dict[str, Any]] = [{}]
    for _ in range(random.integers(0, 12)):
        place = random.choice([number for number, node in enumerate(nodes) if not node])
        nodes[place] = question(random) | {"yes": len(nodes), "no": len(nodes) + 1}
        nodes += [{}, {}]
    return [node or leaf(random, targets) for node in nodes]


def symmetric_tree(random: Any, targets: int) -> list[dict[str, Any]]:
    levels = [question(random) for _ in range(random.integers(0, 5))]
    inner = [levels[(number + 1).bit_length() - 1] for number in range(2 ** len(levels) - 1)]
    asked = [{**node, "yes": 2 * place + 2, "no": 2 * place + 1} for place, node in enumerate(inner)]
    return asked + [leaf(random, targets) for _ in range(len(asked) + 1)]


def question(random: Any) -> dict[str, Any]:
    return {
        "mode": random.choice(MODES),
        "feature": random.integers(FEATURES),
        "threshold": random.choice(NUMBERS[1:]),
        "tracks": random.integers(2),
    }


def leaf(random: Any, targets: int) -> dict[str, Any]:
    return {"weights": random.normal(scale=10.0 ** random.integers(-3, 4), size=targets).astype(np.float32)}


def as_node(trees: list[list[dict[str, Any]]], targets: int, aggregate: str) -> Any:
    flat = [(tree, number, node) for tree, nodes in enumerate(trees) for number, node in enumerate(nodes)]
    votes = [
        (tree, number, target, float(weight))
        for tree, number, node in flat
        for target, weight in enumerate(node.get("weights", ()))
    ]
    lists: dict[str, Any] = dict(zip(VOTE, map(list, zip(*votes, strict=True)), strict=True))
    return helper.make_node(
        "TreeEnsembleRegressor",
        ["features"],
        ["outputs"],
        domain="ai.onnx.ml",
        n_targets=targets,
        aggregate_function=aggregate,
        base_values=[0.1 * number for number in range(1, targets + 1)],
        nodes_treeids=[tree for tree, _, _ in flat],
        nodes_nodeids=[number for _, number, _ in flat],
        nodes_modes=[str(node.get("mode", "LEAF")) for _, _, node in flat],
        nodes_featureids=[int(node.get("feature", 0)) for _, _, node in flat],
        nodes_values=[float(node.get("threshold", 0)) for _, _, node in flat],
        nodes_truenodeids=[node.get("yes", 0) for _, _, node in flat],
        nodes_falsenodeids=[node.get("no", 0) for _, _, node in flat],
        nodes_missing_value_tracks_true=[int(node.get("tracks", 0)) for _, _, node in flat],
        **lists,
    )


def runtime(node: Any, targets: int) -> Any:
    graph = helper.make_graph(
        [node],
        "trees",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, FEATURES])],
        [helper.make_tensor_value_info("outputs", TensorProto.FLOAT, [None, targets])],
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
    onnxruntime = onnx_runtime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


@pytest.mark.parametrize("make", [branching_tree, symmetric_tree])
@settings(max_examples=60, deadline=None)
@given(seed=seeds, targets=st.integers(1, 3), aggregate=st.sampled_from(["SUM", "AVERAGE"]))
def test_random_trees_answer_the_bits_of_onnx_runtime(
    make: Any, seed: int, targets: int, aggregate: str
) -> None:
    random = np.random.default_rng(seed)
    node = as_node([make(random, targets) for _ in range(random.integers(1, 9))], targets, aggregate)
    nodes = read_nodes(node)
    assert nodes is not None
    rows = int(random.choice([1, 2, 17, BLOCK_ROWS + 1]))
    matrix = random.choice(np.append(NUMBERS, np.float32(np.nan)), (rows, FEATURES))
    expected = runtime(node, targets).run(None, {"features": matrix})[0]
    assert Trees(nodes).run(matrix).tobytes() == expected.tobytes()


@settings(max_examples=20, deadline=None)
@given(seed=seeds)
def test_trees_of_one_question_per_level_take_the_quicker_loop(seed: int) -> None:
    random = np.random.default_rng(seed)
    nodes = read_nodes(as_node([symmetric_tree(random, 1) for _ in range(3)], 1, "SUM"))
    assert nodes is not None
    assert Trees(nodes).is_symmetric
