"""Model A made as slow as a model with a thousand times its trees: what an answer must cost for refusing it to be worth anything.

Its graph computes model A's trees again and again and takes the mean, so it answers what model A answers, and each row is a row's
work, without the savings of a batch: the hardest case for whoever limits.
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
    """The same graph inside a loop that adds its output up, and the mean of that as the output."""
    document = onnx.load_from_string(graph)
    body = _body(document.graph)
    zero = helper.make_tensor("zero", TensorProto.FLOAT, [1, 1], [0.0])
    count = helper.make_tensor("count", TensorProto.INT64, [], [times])
    share = helper.make_tensor("share", TensorProto.FLOAT, [1, 1], [1.0 / times])
    nodes = [
        helper.make_node("Loop", ["count", "", "zero"], ["sum"], body=body),
        helper.make_node("Mul", ["sum", "share"], [OUTPUT_NAME]),
    ]
    outer = helper.make_graph(
        nodes, "repeated", document.graph.input, document.graph.output, [zero, count, share]
    )
    made = helper.make_model(outer, opset_imports=document.opset_import, ir_version=document.ir_version)
    content: bytes = made.SerializeToString()
    return content


def _body(graph: onnx.GraphProto) -> onnx.GraphProto:
    """One turn of the loop. What it reads is the outer graph's input, by name."""
    nodes = [onnx.NodeProto.FromString(node.SerializeToString()) for node in graph.node]
    for node in nodes:
        node.output[:] = ["once" if name == OUTPUT_NAME else name for name in node.output]
    nodes.append(helper.make_node("Add", ["before", "once"], ["after"]))
    nodes.append(helper.make_node("Identity", ["go_on"], ["goes_on"]))
    return helper.make_graph(
        nodes,
        "once",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("before", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("goes_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("after", TensorProto.FLOAT, None),
        ],
        list(graph.initializer),
    )


def _seconds_each(graph: bytes) -> float:
    """CPU of one turn, inside such a loop."""
    model = CompiledModel(repeated(graph, SAMPLE_RUNS))
    row = np.zeros((1, len(DEFINITION.feature_columns)), np.float32)
    model.run(row)
    started = time.thread_time()
    for _ in range(5):
        model.run(row)
    return (time.thread_time() - started) / 5 / SAMPLE_RUNS
