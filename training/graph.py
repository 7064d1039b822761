"""One ONNX graph out of a fitted pipeline: its parts are converted by their own exporters and joined here.

CatBoost exports itself (onnxmltools' converter breaks on current CatBoost); everything else goes through skl2onnx.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from catboost import CatBoostRegressor
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.base import is_classifier
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import StackingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression

from modelkit.runtime import INPUT_NAME, OUTPUT_NAME

OPSET, ML_OPSET, IR_VERSION = 18, 3, 9
SOFTMAX_OF_SCORES = (LinearDiscriminantAnalysis, LogisticRegression)  # with more than two classes


def to_graph(pipeline: Any, width: int) -> bytes:
    """The graph of a pipeline over `width` features: float32 (rows, width) in, float32 (rows, outputs) out."""
    assembly = _Assembly()
    tensor, last = INPUT_NAME, pipeline.steps[-1][1]
    for _, step in pipeline.steps:
        tensor = assembly.add_step(step, tensor, width)
    return assembly.finish(tensor, width, outputs=len(last.classes_) if is_classifier(last) else 1)


class _Assembly:
    """Nodes and constants of the graph so far. Every added part gets a prefix, so that no two names clash."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._parts = 0

    def add_step(self, step: Any, source: str, width: int) -> str:
        """The name of the tensor that the step gives."""
        if isinstance(step, SimpleImputer) and step.strategy == "constant":
            return self._add_fill(source, float(step.fill_value))
        if isinstance(step, StackingRegressor):
            return self._add_stack(step, source, width)
        if isinstance(step, SOFTMAX_OF_SCORES) and len(step.classes_) > 2:
            return self._add_linear_classifier(step, source)
        return self._add_converted(step, source, width)

    def finish(self, tensor: str, width: int, *, outputs: int) -> bytes:
        shape = numpy_helper.from_array(np.array([-1, outputs], dtype=np.int64), "output_shape")
        self._constants.append(shape)
        self._nodes.append(helper.make_node("Reshape", [tensor, "output_shape"], [OUTPUT_NAME]))
        graph = helper.make_graph(
            self._nodes,
            "servable",
            [helper.make_tensor_value_info(INPUT_NAME, TensorProto.FLOAT, ["rows", width])],
            [helper.make_tensor_value_info(OUTPUT_NAME, TensorProto.FLOAT, ["rows", outputs])],
            self._constants,
        )
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString())

    def _add_fill(self, source: str, value: float) -> str:
        self._constants.append(numpy_helper.from_array(np.array(value, dtype=np.float32), "fill_value"))
        self._nodes.append(helper.make_node("IsNaN", [source], ["is_missing"]))
        self._nodes.append(helper.make_node("Where", ["is_missing", "fill_value", source], ["filled"]))
        return "filled"

    def _add_stack(self, stack: StackingRegressor, source: str, width: int) -> str:
        bases = [self._add_converted(base, source, width) for base in stack.estimators_]
        self._nodes.append(helper.make_node("Concat", bases, ["bases"], axis=1))
        return self._add_converted(stack.final_estimator_, "bases", len(bases))

    def _add_linear_classifier(self, model: Any, source: str) -> str:
        """Products and sums row by row: ONNX's own LinearClassifier multiplies matrices, and then a row in a batch
        differs from the same row alone in its last bits."""
        for name, values in (("weights", model.coef_[np.newaxis]), ("intercept", model.intercept_)):
            self._constants.append(numpy_helper.from_array(values.astype(np.float32), name))
        for name, axis in (("class_axis", 1), ("feature_axis", 2)):
            self._constants.append(numpy_helper.from_array(np.array([axis], dtype=np.int64), name))
        self._nodes += [
            helper.make_node("Unsqueeze", [source, "class_axis"], ["per_class"]),
            helper.make_node("Mul", ["per_class", "weights"], ["products"]),
            helper.make_node("ReduceSum", ["products", "feature_axis"], ["sums"], keepdims=0),
            helper.make_node("Add", ["sums", "intercept"], ["scores"]),
            helper.make_node("Softmax", ["scores"], ["probabilities"], axis=1),
        ]
        return "probabilities"

    def _add_converted(self, step: Any, source: str, width: int) -> str:
        part = _export_catboost(step) if isinstance(step, CatBoostRegressor) else _export_sklearn(step, width)
        self._parts += 1
        names = {part.input[0].name: source}
        for tensor in part.initializer:
            tensor.name = self._name(names, tensor.name)
            self._constants.append(tensor)
        for node in part.node:
            node.name = ""
            inputs = [self._name(names, name) for name in node.input]
            outputs = [self._name(names, name) for name in node.output]
            del node.input[:], node.output[:]
            node.input.extend(inputs)
            node.output.extend(outputs)
            self._nodes.append(node)
        return names[part.output[-1].name]

    def _name(self, names: dict[str, str], name: str) -> str:
        return names.setdefault(name, f"part{self._parts}_{name}") if name else name


def _export_catboost(model: CatBoostRegressor) -> onnx.GraphProto:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        model.save_model(str(path), format="onnx")
        loaded: onnx.ModelProto = onnx.load(path)
        return loaded.graph


def _export_sklearn(model: Any, width: int) -> onnx.GraphProto:
    """A classifier's last output is its probabilities."""
    converted: onnx.ModelProto = to_onnx(
        model,
        initial_types=[("X", FloatTensorType([None, width]))],
        target_opset={"": OPSET, "ai.onnx.ml": ML_OPSET},
        options={id(model): {"zipmap": False}} if is_classifier(model) else None,
    )
    return converted.graph
