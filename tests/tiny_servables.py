"""Real servables in milliseconds: a linear model per declaration, written as an ONNX graph by hand."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from modelkit.contract import make_contract
from modelkit.definition import ModelDefinition
from modelkit.reference import ColumnReference, Reference
from modelkit.runtime import INPUT_NAME, OUTPUT_NAME, CompiledModel
from modelkit.servable import Card, write_servable
from serving.loaded_model import LoadedModel, load_model
from tests.tiny_features import example_row

OPSET, IR_VERSION = 17, 10
LARGE = 1e9


def tiny_graph(definition: ModelDefinition, *, bias: float = 0.0, width: int | None = None) -> bytes:
    """Missing counts as zero; a regressor gives 20 + bias + a weighted sum, a classifier a softmax of such.

    As with trees, the answer is finite however large a value is.
    """
    columns = len(definition.feature_columns) if width is None else width
    outputs = max(1, len(definition.classes))
    weights = np.linspace(-0.2, 0.3, columns * outputs, dtype=np.float32).reshape(columns, outputs)
    offsets = np.arange(outputs, dtype=np.float32) + np.float32(bias + (0 if definition.classes else 20))
    if definition.classes:  # the same for every class would cancel out
        offsets[0] += bias
    nodes = [
        helper.make_node("IsNaN", [INPUT_NAME], ["missing"]),
        helper.make_node("Where", ["missing", "zero", INPUT_NAME], ["known"]),
        helper.make_node("Clip", ["known", "least", "most"], ["numbers"]),
        helper.make_node("MatMul", ["numbers", "weights"], ["sums"]),
        helper.make_node("Add", ["sums", "offsets"], [OUTPUT_NAME if outputs == 1 else "scores"]),
    ]
    if outputs > 1:
        nodes.append(helper.make_node("Softmax", ["scores"], [OUTPUT_NAME], axis=1))
    constants = {"zero": np.zeros(1, np.float32), "weights": weights, "offsets": offsets}
    constants |= {"least": np.array(-LARGE, np.float32), "most": np.array(LARGE, np.float32)}
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(INPUT_NAME, TensorProto.FLOAT, [None, columns])],
        [helper.make_tensor_value_info(OUTPUT_NAME, TensorProto.FLOAT, [None, outputs])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="tests"
    )
    return bytes(model.SerializeToString())


def write_tiny(definition: ModelDefinition, folder: Path, *, bias: float = 0.0, **contract: Any) -> str:
    """A whole servable and its digest. `contract` replaces members of its contract."""
    graph = tiny_graph(definition, bias=bias)
    promised = make_contract(
        definition,
        [example_row(definition, example) for example in definition.examples],
        CompiledModel(graph),
    )
    if contract:
        import msgspec

        promised = msgspec.structs.replace(promised, **contract)
    return write_servable(
        folder,
        graph=graph,
        contract=promised,
        reference=Reference(
            rows=1, columns={}, prediction=ColumnReference(kind="number", shares=[1.0], missing=0.0)
        ),
        card=Card(
            model=definition.name,
            metrics={"overall.mae": 1.5},
            params={},
            git_sha="0" * 40,
            data_hash="none",
            trained_at="2026-01-01T00:00:00Z",
            training_seconds=0.0,
            rows={"train": 1},
        ),
    )


def loaded_tiny(
    definition: ModelDefinition, folder: Path, *, version: str = "1", bias: float = 0.0
) -> LoadedModel:
    digest = write_tiny(definition, folder, bias=bias)
    return load_model(folder, definition, version=version, digest=digest)


class CountedFeatures:
    """A definition's `build` that records the rows of each call, and fails where a row has `poison` in `column`."""

    def __init__(self, definition: ModelDefinition, *, column: str = "", poison: float = 0.0) -> None:
        self._build, self._column, self._poison = definition.build, column, poison
        self.calls: list[int] = []

    def __call__(self, columns: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        self.calls.append(len(next(iter(columns.values()))))
        if self._column and (columns[self._column] == self._poison).any():
            raise ValueError("a row that this feature code cannot take")
        return self._build(columns)


def with_features(model: LoadedModel, build: Any) -> LoadedModel:
    """The same version with other feature code, which was never proven."""
    return dataclasses.replace(model, definition=dataclasses.replace(model.definition, build=build))
