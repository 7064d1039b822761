"""Model A made as slow as a model with a thousand times its trees: what an answer must cost for refusing it to be worth anything.

Its graph computes model A's trees for each row by itself, again and again, and takes the mean: it answers what model A
answers, and a row is a row's work, whatever its company. Model A's rows take half of that in a batch of sixteen (trees that
are in the core's cache serve all of them); of such a model neither the capacity nor its multiples would be one number.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import replace

import numpy as np
import onnx
from onnx import TensorProto, helper

from bench.catalog.model_a.definition import DEFINITION
from bench.errors import BenchError
from bench.fixtures import Fixture, prepare_fixture
from bench.settings import Settings
from modelkit.runtime import OUTPUT_NAME, CompiledModel
from modelkit.servable import MODEL, load_servable, write_servable

SAMPLE_RUNS = 200
ROUNDING = 1e-3
IR_VERSION = 8  # from 4 on the constants of a loop's turn need not be its inputs


def prepare_heavy(settings: Settings, *, milliseconds: float) -> Fixture:
    """One row of it takes so many milliseconds of this machine, about."""
    light = prepare_fixture(settings, DEFINITION.name)
    servable = load_servable(light.servables / DEFINITION.name, DEFINITION)
    graph = (light.servables / DEFINITION.name / MODEL).read_bytes()
    slow = repeated(graph, max(1, round(milliseconds / 1000 / _seconds_each(graph))))
    row = np.zeros((1, len(DEFINITION.feature_columns)), np.float32)
    if abs(float(CompiledModel(slow).run(row)[0, 0] - CompiledModel(graph).run(row)[0, 0])) > ROUNDING:
        raise BenchError("the heavy model does not answer what model A answers")
    folder = settings.work / "models" / "heavy"
    shutil.rmtree(folder, ignore_errors=True)
    write_servable(
        folder / "servables" / DEFINITION.name,
        graph=slow,
        contract=servable.contract,
        reference=servable.reference,
        card=servable.card,
    )
    return replace(light, servables=folder / "servables")


def repeated(graph: bytes, times: int) -> bytes:
    """The same graph over each row by itself, in a loop that adds its output up, and the mean of that as the output."""
    document = onnx.load_from_string(graph)
    (rows,) = document.graph.input
    nodes = [
        helper.make_node("Shape", [rows.name], ["count"], start=0, end=1),
        helper.make_node("Loop", ["count", ""], ["each"], body=_row_by_row(document.graph, times)),
        helper.make_node("Reshape", ["each", "column"], [OUTPUT_NAME]),
    ]
    column = helper.make_tensor("column", TensorProto.INT64, [2], [-1, 1])
    outer = helper.make_graph(nodes, "rows", document.graph.input, document.graph.output, [column])
    made = helper.make_model(outer, opset_imports=document.opset_import, ir_version=IR_VERSION)
    content: bytes = made.SerializeToString()
    return content


def _row_by_row(graph: onnx.GraphProto, times: int) -> onnx.GraphProto:
    """A turn of the outer loop: one row, many times."""
    constants = [
        helper.make_tensor("zero", TensorProto.FLOAT, [1, 1], [0.0]),
        helper.make_tensor("times", TensorProto.INT64, [], [times]),
        helper.make_tensor("share", TensorProto.FLOAT, [1, 1], [1.0 / times]),
        helper.make_tensor("first", TensorProto.INT64, [1], [0]),
    ]
    nodes = [
        helper.make_node("Unsqueeze", ["place", "first"], ["places"]),
        helper.make_node("Gather", [graph.input[0].name, "places"], ["row"], axis=0),
        helper.make_node("Loop", ["times", "", "zero"], ["sum"], body=_again(graph)),
        helper.make_node("Mul", ["sum", "share"], ["mean"]),
        helper.make_node("Identity", ["onward"], ["goes_onward"]),
    ]
    return helper.make_graph(
        nodes, "one_row", _loop_inputs("place", "onward"), _loop_outputs("goes_onward", "mean"), constants
    )


def _again(graph: onnx.GraphProto) -> onnx.GraphProto:
    """A turn of the inner loop. It reads the outer one's row, by name."""
    renamed = {graph.input[0].name: "row", OUTPUT_NAME: "once"}
    nodes = [onnx.NodeProto.FromString(node.SerializeToString()) for node in graph.node]
    for node in nodes:
        node.input[:] = [renamed.get(name, name) for name in node.input]
        node.output[:] = [renamed.get(name, name) for name in node.output]
    nodes.append(helper.make_node("Add", ["before", "once"], ["after"]))
    nodes.append(helper.make_node("Identity", ["go_on"], ["goes_on"]))
    before = helper.make_tensor_value_info("before", TensorProto.FLOAT, None)
    return helper.make_graph(
        nodes,
        "once",
        [*_loop_inputs("turn", "go_on"), before],
        _loop_outputs("goes_on", "after"),
        list(graph.initializer),
    )


def _loop_inputs(turn: str, go_on: str) -> list[onnx.ValueInfoProto]:
    return [
        helper.make_tensor_value_info(turn, TensorProto.INT64, []),
        helper.make_tensor_value_info(go_on, TensorProto.BOOL, []),
    ]


def _loop_outputs(goes_on: str, result: str) -> list[onnx.ValueInfoProto]:
    return [
        helper.make_tensor_value_info(goes_on, TensorProto.BOOL, []),
        helper.make_tensor_value_info(result, TensorProto.FLOAT, None),
    ]


def _seconds_each(graph: bytes) -> float:
    """CPU of one turn, inside such a loop."""
    model = CompiledModel(repeated(graph, SAMPLE_RUNS))
    row = np.zeros((1, len(DEFINITION.feature_columns)), np.float32)
    model.run(row)
    started = time.thread_time()
    for _ in range(5):
        model.run(row)
    return (time.thread_time() - started) / 5 / SAMPLE_RUNS
