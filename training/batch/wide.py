"""The servable's graph for many rows: symmetric trees in numpy, all else in ONNX Runtime, and the same bits or not at all."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper

from modelkit.runtime import INPUT_NAME, OUTPUT_NAME, CompiledModel
from training.batch.trees import SymmetricTrees, read_trees

PROBES = 256
Matrix = NDArray[np.float32]


class WideModel:
    """Answers like the compiled model that it is made of, several times faster where most of the work is in its trees."""

    def __init__(self, compiled: CompiledModel, graph: bytes, *, seed: int = 0) -> None:
        self._compiled = compiled
        document = onnx.load_from_string(graph)
        self._trees = _independent_trees(document.graph)
        self.is_wide = bool(self._trees)
        if not self.is_wide:
            return
        taken, given = [node.input[0] for node, _ in self._trees], [node.output[0] for node, _ in self._trees]
        self._taken = sorted(set(taken) - {INPUT_NAME})
        self._before = _part(document, inputs=[INPUT_NAME], outputs=self._taken) if self._taken else None
        self._after = None if given == [OUTPUT_NAME] else _part(document, [INPUT_NAME, *given], [OUTPUT_NAME])
        self.is_wide = self._agrees(_probes(document.graph, seed))

    def run(self, matrix: Matrix) -> Matrix:
        return self._run_wide(matrix) if self.is_wide else self._compiled.run(matrix)

    def _run_wide(self, matrix: Matrix) -> Matrix:
        tensors = {INPUT_NAME: matrix}
        if self._before is not None:
            tensors |= zip(self._taken, self._before.run(self._taken, {INPUT_NAME: matrix}), strict=True)
        for node, trees in self._trees:
            tensors[node.output[0]] = trees.run(tensors[node.input[0]])
        if self._after is None:
            return tensors[OUTPUT_NAME]
        needed = [item.name for item in self._after.get_inputs()]
        output: Matrix = self._after.run([OUTPUT_NAME], {name: tensors[name] for name in needed})[0]
        return output

    def _agrees(self, matrix: Matrix) -> bool:
        """To the bit, on rows that lie on the very borders of the trees' questions."""
        expected = self._compiled.run(matrix)
        return self._run_wide(matrix).tobytes() == expected.tobytes()


def _independent_trees(graph: onnx.GraphProto) -> list[tuple[onnx.NodeProto, SymmetricTrees]]:
    """Nodes that numpy can compute, and that need nothing of one another."""
    found = [(node, trees) for node in graph.node if (trees := read_trees(node)) is not None]
    given = {node.output[0] for node, _ in found}
    return [(node, trees) for node, trees in found if not given & _ancestors(graph, node.input)]


def _ancestors(graph: onnx.GraphProto, tensors: Iterable[str]) -> set[str]:
    maker = {output: node for node in graph.node for output in node.output}
    seen: set[str] = set()
    waiting = list(tensors)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += maker[name].input if name in maker else ()
    return seen


def _part(document: onnx.ModelProto, inputs: list[str], outputs: list[str]) -> onnxruntime.InferenceSession:
    """The nodes between given tensors, on one thread as the whole graph is."""
    graph = onnx.GraphProto()
    graph.CopyFrom(document.graph)
    kept = [node for node in graph.node if not set(node.output) & set(inputs)]
    graph.ClearField("node")
    graph.node.extend(kept)
    needed = _ancestors(graph, outputs)
    kept = [node for node in kept if set(node.output) & needed]
    part = helper.make_graph(
        kept,
        "part",
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, None])
            for name in inputs
            if name in needed
        ],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [constant for constant in document.graph.initializer if constant.name in needed],
    )
    model = helper.make_model(part, opset_imports=document.opset_import, ir_version=document.ir_version)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.enable_cpu_mem_arena = False
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def _probes(graph: onnx.GraphProto, seed: int) -> Matrix:
    """Rows of thresholds, of their neighbours and of what no row should hold."""
    random = np.random.default_rng(seed)
    width = graph.input[0].type.tensor_type.shape.dim[1].dim_value
    edges: list[set[float]] = [set() for _ in range(width)]
    for node in graph.node:
        if node.op_type == "TreeEnsembleRegressor":
            found = {item.name: helper.get_attribute_value(item) for item in node.attribute}
            for feature, value in zip(found["nodes_featureids"], found["nodes_values"], strict=True):
                edges[feature].add(value)
    columns = []
    for values in edges:
        edge = np.asarray(sorted(values | {0.0}), dtype=np.float32)
        odd = np.asarray([np.nan, np.inf, -np.inf, -1.0], dtype=np.float32)
        pool = np.concatenate([edge, np.nextafter(edge, np.float32(np.inf)), odd])
        columns.append(random.choice(pool, PROBES))
    return np.ascontiguousarray(np.stack(columns, axis=1), dtype=np.float32)
