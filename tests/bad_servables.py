"""Versions that must not serve, each bad in its own way: what a registry may hold by mistake or by malice."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from onnx import TensorProto, helper, numpy_helper

from catalog.iris.definition import DEFINITION as IRIS
from modelkit.contract import Contract
from modelkit.reference import Reference
from modelkit.runtime import INPUT_NAME, OUTPUT_NAME
from modelkit.servable import (
    CARD,
    CONTRACT,
    FILES,
    MANIFEST,
    REFERENCE,
    WRITTEN,
    Card,
    servable_digest,
    write_servable,
)
from tests.tiny_servables import IR_VERSION, OPSET, write_tiny

TREES, TREES_VERSION = "ai.onnx.ml", 3
CRASHING_DEPTH = 50_000
HUGE_FLOATS = 2**33


def with_graph(folder: Path, graph: bytes) -> str:
    """A servable that is whole by every digest, with this graph for the tiny one; its digest."""
    write_tiny(IRIS, folder)
    return write_servable(
        folder,
        graph=graph,
        contract=msgspec.json.decode((folder / CONTRACT).read_bytes(), type=Contract),
        reference=msgspec.json.decode((folder / REFERENCE).read_bytes(), type=Reference),
        card=msgspec.json.decode((folder / CARD).read_bytes(), type=Card),
    )


def deep_tree() -> bytes:
    """One branch of so many levels that the runtime, which reads trees by recursion, runs out of stack: SIGSEGV."""
    depth, leaves = CRASHING_DEPTH, CRASHING_DEPTH + 1
    nodes = depth + leaves
    down = [level + 1 for level in range(depth - 1)] + [2 * depth]
    aside = [depth + level for level in range(depth)]
    tree = helper.make_node(
        "TreeEnsembleRegressor",
        [INPUT_NAME],
        [OUTPUT_NAME],
        domain=TREES,
        n_targets=len(IRIS.classes),
        nodes_treeids=[0] * nodes,
        nodes_nodeids=list(range(nodes)),
        nodes_featureids=[0] * nodes,
        nodes_modes=["BRANCH_LEQ"] * depth + ["LEAF"] * leaves,
        nodes_values=[1.0] * nodes,
        nodes_truenodeids=down + [0] * leaves,
        nodes_falsenodeids=aside + [0] * leaves,
        target_treeids=[0] * leaves,
        target_nodeids=list(range(depth, nodes)),
        target_ids=[0] * leaves,
        target_weights=[1.0] * leaves,
    )
    return _graph([tree], trees=True)


def huge_constant() -> bytes:
    """A few bytes that ask for 32 GiB."""
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["constant"]),
        helper.make_node("ReduceSum", ["constant"], ["sum"], keepdims=0),
        helper.make_node("Add", [INPUT_NAME, "sum"], [OUTPUT_NAME]),
    ]
    return _graph(nodes, shape=np.array([HUGE_FLOATS], np.int64))


def endless_loop() -> bytes:
    """It loads, and never answers its golden rows."""
    boolean, number = TensorProto.BOOL, TensorProto.FLOAT
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["more"], ["again"]),
            helper.make_node("Identity", ["value"], ["same"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("more", boolean, []),
            helper.make_tensor_value_info("value", number, None),
        ],
        [
            helper.make_tensor_value_info("again", boolean, []),
            helper.make_tensor_value_info("same", number, None),
        ],
    )
    loop = helper.make_node("Loop", ["most", "go", INPUT_NAME], [OUTPUT_NAME], body=body)
    return _graph([loop], most=np.array(2**62, np.int64), go=np.array(True))


class Canary:
    """Unpickled, it writes a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (self._path,)


def pickled_canary(path: Path) -> bytes:
    return pickle.dumps(Canary(path))


def flip(folder: Path, place: int, names: Sequence[str] = WRITTEN) -> str:
    """Turns over one bit of a version's files, counted as one after another; the name of the file it is in."""
    for path in (folder / name for name in names):
        content = bytearray(path.read_bytes())
        if place < len(content) * 8:
            content[place // 8] ^= 1 << place % 8
            path.write_bytes(content)
            return path.name
        place -= len(content) * 8
    raise ValueError("there are fewer bits")


def bits(folder: Path, names: Sequence[str] = WRITTEN) -> int:
    return 8 * sum((folder / name).stat().st_size for name in names)


def redigested(folder: Path) -> str:
    """The digest of what somebody changed who also rewrote the manifest, as an attacker would."""
    manifest = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES}
    (folder / MANIFEST).write_bytes(msgspec.json.encode(manifest))
    return servable_digest(folder)


def _graph(nodes: list[Any], *, trees: bool = False, **constants: Any) -> bytes:
    graph = helper.make_graph(
        nodes,
        "bad",
        [helper.make_tensor_value_info(INPUT_NAME, TensorProto.FLOAT, [None, len(IRIS.feature_columns)])],
        [helper.make_tensor_value_info(OUTPUT_NAME, TensorProto.FLOAT, [None, len(IRIS.classes)])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", OPSET), *([helper.make_opsetid(TREES, TREES_VERSION)] if trees else [])]
    return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION).SerializeToString())
