"""What a loaded version says about a row, with and without bounds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from modelkit.contract import make_contract
from modelkit.definition import load_catalog
from modelkit.errors import ContractMismatch
from modelkit.runtime import OUTPUT_NAME, CompiledModel
from modelkit.servable import load_servable, write_servable
from serving.loaded_model import LoadedModel, load_model
from serving.outcome import Outcome, decode_outcome, encode_outcome
from tests.tiny_servables import loaded_tiny, tiny_graph, write_tiny

FOOD = load_catalog()["food-delivery"]
EXAMPLES = [dict(example) for example in FOOD.examples]


def with_offsets(graph: bytes, offsets: list[float]) -> bytes:
    """The one output of a tiny regressor, once for each offset."""
    model = onnx.load_model_from_string(graph)
    for node in model.graph.node:
        node.output[:] = ["single" if name == OUTPUT_NAME else name for name in node.output]
    model.graph.initializer.append(numpy_helper.from_array(np.array([offsets], np.float32), "steps"))
    model.graph.node.append(helper.make_node("Add", ["single", "steps"], [OUTPUT_NAME]))
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = len(offsets)
    return bytes(model.SerializeToString())


def write(folder: Path, graph: bytes) -> str:
    """The tiny servable with another graph."""
    write_tiny(FOOD, folder)
    servable = load_servable(folder, FOOD)
    return write_servable(
        folder,
        graph=graph,
        contract=make_contract(FOOD, EXAMPLES, CompiledModel(graph)),
        reference=servable.reference,
        card=servable.card,
    )


def said(model: LoadedModel) -> list[Outcome]:
    return model.predict([model.reader.from_object(example) for example in EXAMPLES])


def test_a_version_without_intervals_gives_no_bounds(tmp_path: Path) -> None:
    for outcome in said(loaded_tiny(FOOD, tmp_path)):
        assert (outcome.lower, outcome.upper, outcome.probabilities) == (None, None, None)


def test_a_version_with_intervals_gives_the_bounds_of_its_graph(tmp_path: Path) -> None:
    digest = write(tmp_path / "bounded", with_offsets(tiny_graph(FOOD), [0.0, -2.0, 3.0]))
    bounded = said(load_model(tmp_path / "bounded", FOOD, version="1", digest=digest))
    plain = said(loaded_tiny(FOOD, tmp_path / "plain"))
    assert [outcome.prediction for outcome in bounded] == [outcome.prediction for outcome in plain]
    for outcome in bounded:
        assert isinstance(outcome.prediction, float)
        assert outcome.lower == pytest.approx(outcome.prediction - 2, abs=1e-5)
        assert outcome.upper == pytest.approx(outcome.prediction + 3, abs=1e-5)
        assert decode_outcome(encode_outcome(outcome)) == outcome


def test_a_regressor_with_another_number_of_outputs_is_refused(tmp_path: Path) -> None:
    write(tmp_path, with_offsets(tiny_graph(FOOD), [0.0, -2.0]))
    with pytest.raises(ContractMismatch, match="2 outputs"):
        load_servable(tmp_path, FOOD)
