"""The servable's graph for many rows: trees in compiled loops, all else in ONNX Runtime, and the same bits or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from modelkit.runtime import INPUT_NAME, OUTPUT_NAME, CompiledModel, onnx_runtime
from modelkit.tree_nodes import read_nodes

if TYPE_CHECKING:
    from training.batch.trees import Trees

PROBES = 256
ODD = np.asarray([np.nan, np.inf, -np.inf, 0.0, -0.0, -1.0], dtype=np.float32)
Matrix = NDArray[np.float32]
Session = Any  # of ONNX Runtime, which has no types


@dataclass(frozen=True, kw_only=True)
class _Step:
    """One sum of trees: the part of the graph that makes its input, where it is not there yet, and the trees."""

    before: Session | None
    taken: str
    given: str
    trees: Trees


class WideModel:
    """Answers like the compiled model that it is made of, several times faster where most of the work is in its trees."""

    def __init__(self, compiled: CompiledModel, graph: bytes, *, seed: int = 0) -> None:
        self._compiled = compiled
        document = onnx.load_from_string(graph)
        self._steps = _steps(document)
        self.is_wide = bool(self._steps)
        if self.is_wide:
            there = [INPUT_NAME, *(step.given for step in self._steps)]
            self._after = None if OUTPUT_NAME in there else _part(document, there, OUTPUT_NAME)
            width = document.graph.input[0].type.tensor_type.shape.dim[1].dim_value
            self.is_wide = self._agrees(_probes(width, self._steps, seed))

    def run(self, columns: Matrix) -> Matrix:
        """`columns` is (features, rows): what a batch has, and what its trees take."""
        if self.is_wide:
            return self._run_wide(columns.T)
        return self._compiled.run(np.ascontiguousarray(columns.T))

    def _run_wide(self, matrix: Matrix) -> Matrix:
        tensors = {INPUT_NAME: matrix}
        for step in self._steps:
            if step.before is not None:
                tensors[step.taken] = _run(step.before, tensors)
            tensors[step.given] = step.trees.run(tensors[step.taken])
        return tensors[OUTPUT_NAME] if self._after is None else _run(self._after, tensors)

    def _agrees(self, matrix: Matrix) -> bool:
        """To the bit, on rows that lie on the very borders of the trees' questions."""
        expected, found = self._compiled.run(matrix), self._run_wide(matrix)
        same = (expected.view(np.int32) == found.view(np.int32)) | (np.isnan(expected) & np.isnan(found))
        return expected.shape == found.shape and bool(same.all())


def widen(compiled: CompiledModel, graph: bytes) -> Future[WideModel]:
    """A wide model in the making: a second of imports and checks, while the first chunks are read."""
    maker = ThreadPoolExecutor(1, thread_name_prefix="widen")
    making = maker.submit(WideModel, compiled, graph)
    maker.shutdown(wait=False)
    return making


def _steps(document: onnx.ModelProto) -> list[_Step]:
    """Of the trees, in the order of the graph: each input may need what came before."""
    there, steps = [INPUT_NAME], []
    for node in document.graph.node:
        nodes = read_nodes(node)
        if nodes is None:
            continue
        from training.batch.trees import Trees  # half a second, for models that have trees

        taken, given = node.input[0], node.output[0]
        before = None if taken in there else _part(document, there, taken)
        steps.append(_Step(before=before, taken=taken, given=given, trees=Trees(nodes)))
        there.append(given)
    return steps


def _run(session: Session, tensors: dict[str, Matrix]) -> Matrix:
    taken = {item.name: np.ascontiguousarray(tensors[item.name]) for item in session.get_inputs()}
    found: Matrix = session.run(None, taken)[0]
    return found


def _ancestors(nodes: Iterable[onnx.NodeProto], tensors: Iterable[str]) -> set[str]:
    maker = {output: node for node in nodes for output in node.output}
    seen: set[str] = set()
    waiting = list(tensors)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += maker[name].input if name in maker else ()
    return seen


def _part(document: onnx.ModelProto, there: Iterable[str], wanted: str) -> Session:
    """The nodes between given tensors and a wanted one, on one thread as the whole graph is."""
    known = set(there)
    nodes = [node for node in document.graph.node if not known & set(node.output)]
    needed = _ancestors(nodes, [wanted])
    part = helper.make_graph(
        [node for node in nodes if needed & set(node.output)],
        "part",
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, None])
            for name in sorted(known & needed)
        ],
        [helper.make_tensor_value_info(wanted, TensorProto.FLOAT, None)],
        [constant for constant in document.graph.initializer if constant.name in needed],
    )
    model = helper.make_model(part, opset_imports=document.opset_import, ir_version=document.ir_version)
    onnxruntime = onnx_runtime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.enable_cpu_mem_arena = False
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def _probes(width: int, steps: Iterable[_Step], seed: int) -> Matrix:
    """Rows of thresholds, of their neighbours and of what no row should hold."""
    random = np.random.default_rng(seed)
    asked = np.concatenate([step.trees.features for step in steps])
    values = np.concatenate([step.trees.thresholds for step in steps])
    columns = []
    for feature in range(width):
        edge = np.unique(values[asked == feature])
        with np.errstate(over="ignore"):
            near = [np.nextafter(edge, end, dtype=np.float32) for end in (-np.inf, np.inf)]
        columns.append(random.choice(np.concatenate([edge, *near, ODD]), PROBES))
    return np.ascontiguousarray(np.stack(columns, axis=1), dtype=np.float32)
