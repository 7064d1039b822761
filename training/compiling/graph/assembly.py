"""The graph under construction: nodes and constants with names that never clash."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike, DTypeLike
from onnx import TensorProto, helper, numpy_helper

from modelkit.runtime import INPUT_NAME, OUTPUT_NAME

OPSET, ML_OPSET, IR_VERSION = 18, 3, 9
ML_DOMAIN = "ai.onnx.ml"


@dataclass(frozen=True)
class Tensor:
    """A tensor of shape (rows, width), of float32 or of double precision."""

    name: str
    width: int
    double: bool = False


class Assembly:
    """Nodes and constants so far. Converters call `op` and `constant`; composite ones call `add` for their parts."""

    def __init__(
        self, width: int, *, converters: Mapping[type, Converter], fallback: Converter | None = None
    ) -> None:
        self.features = Tensor(INPUT_NAME, width)
        self._converters = converters
        self._fallback = fallback
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[tuple[bytes, tuple[int, ...], str], onnx.TensorProto] = {}
        self._count = 0

    def add(self, step: Any, source: Tensor) -> Tensor:
        """The nodes of one fitted step. A subclass is another kind: it may compute something else."""
        converter = self._converters.get(type(step), self._fallback)
        if converter is None:
            raise TypeError(f"no converter for {type(step).__name__}")
        return converter(self, step, source)

    def op(self, kind: str, inputs: Sequence[str], *, domain: str = "", **attributes: Any) -> str:
        """One node; the name of its output."""
        return self.ops(kind, inputs, 1, domain=domain, **attributes)[0]

    def ops(
        self, kind: str, inputs: Sequence[str], outputs: int, *, domain: str = "", **attributes: Any
    ) -> list[str]:
        """One node with several outputs."""
        names = [self._fresh(kind) for _ in range(outputs)]
        self._nodes.append(helper.make_node(kind, list(inputs), names, domain=domain, **attributes))
        return names

    def constant(self, values: ArrayLike, dtype: DTypeLike = np.float32) -> str:
        array = np.ascontiguousarray(np.asarray(values, dtype=dtype))
        key = (array.tobytes(), array.shape, array.dtype.str)
        if key not in self._constants:
            self._constants[key] = numpy_helper.from_array(array, self._fresh("constant"))
        return self._constants[key].name

    def to_double(self, tensor: Tensor) -> Tensor:
        if tensor.double:
            return tensor
        return Tensor(self.op("Cast", [tensor.name], to=TensorProto.DOUBLE), tensor.width, double=True)

    def to_float(self, tensor: Tensor) -> Tensor:
        return self.as_float(tensor.name, tensor.width) if tensor.double else tensor

    def as_float(self, name: str, width: int) -> Tensor:
        """Whatever the type of `name` is: flags become 0 and 1."""
        return Tensor(self.op("Cast", [name], to=TensorProto.FLOAT), width)

    def gather(self, source: Tensor, columns: Sequence[int]) -> Tensor:
        """Some columns, in the order given."""
        if list(columns) == list(range(source.width)):
            return source
        name = self.op("Gather", [source.name, self.constant(columns, np.int64)], axis=1)
        return Tensor(name, len(columns), source.double)

    def concat(self, parts: Sequence[Tensor]) -> Tensor:
        if len(parts) == 1:
            return parts[0]
        double = any(part.double for part in parts)
        same = [self.to_double(part) if double else part for part in parts]
        name = self.op("Concat", [part.name for part in same], axis=1)
        return Tensor(name, sum(part.width for part in parts), double)

    def splice(self, part: onnx.GraphProto, source: Tensor, output: str) -> str:
        """The nodes of a graph that another exporter made, under names of ours; the name of its `output` here."""
        names = {part.input[0].name: self.to_float(source).name}
        for tensor in part.initializer:
            names[tensor.name] = self.constant(
                numpy_helper.to_array(tensor), numpy_helper.to_array(tensor).dtype
            )
        for node in part.node:
            node.name = ""
            inputs = [self._renamed(names, name) for name in node.input]
            outputs = [self._renamed(names, name) for name in node.output]
            del node.input[:], node.output[:]
            node.input.extend(inputs)
            node.output.extend(outputs)
            self._nodes.append(node)
        return names[output]

    def finish(self, last: Tensor) -> bytes:
        """The graph whose output is `last`."""
        last = self.to_float(last)
        shape = self.constant([-1, last.width], np.int64)
        self._nodes.append(helper.make_node("Reshape", [last.name, shape], [OUTPUT_NAME]))
        graph = helper.make_graph(
            self._nodes,
            "servable",
            [helper.make_tensor_value_info(INPUT_NAME, TensorProto.FLOAT, ["rows", self.features.width])],
            [helper.make_tensor_value_info(OUTPUT_NAME, TensorProto.FLOAT, ["rows", last.width])],
            list(self._constants.values()),
        )
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(ML_DOMAIN, ML_OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString())

    def _renamed(self, names: dict[str, str], name: str) -> str:
        return names.setdefault(name, self._fresh("part")) if name else name

    def _fresh(self, kind: str) -> str:
        self._count += 1
        return f"{kind.lower()}_{self._count}"


Converter = Callable[[Assembly, Any, Tensor], Tensor]
