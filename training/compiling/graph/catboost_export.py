"""CatBoost exports itself (onnxmltools' converter breaks on current CatBoost); numbers only, no categories of its own."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import onnx
from catboost import CatBoostClassifier, CatBoostError, CatBoostRegressor

from training.compiling.graph.assembly import Assembly, Tensor
from training.compiling.graph.refusal import refuse_unless
from training.errors import CompileRefused

EXPONENT = "Exponent"


def add_regressor(assembly: Assembly, model: CatBoostRegressor, source: Tensor) -> Tensor:
    """The sum of trees; losses with a logarithmic link answer its exponential."""
    _refuse_odd_gaps(model)
    refuse_unless(
        "WithUncertainty" not in str(model.get_all_params()["loss_function"]), model, "it has several outputs"
    )
    part = _export(model)
    name = assembly.splice(part, source, part.output[-1].name)
    if model._get_default_prediction_type() == EXPONENT:
        name = assembly.op("Exp", [name])
    return Tensor(name, 1)


def add_classifier(assembly: Assembly, model: CatBoostClassifier, source: Tensor) -> Tensor:
    """The probabilities before they are packed into a map per row."""
    _refuse_odd_gaps(model)
    part = _export(model)
    ensemble = part.node[0]
    del part.node[1:]
    return Tensor(assembly.splice(part, source, ensemble.output[1]), len(model.classes_))


def _refuse_odd_gaps(model: Any) -> None:
    refuse_unless(
        model.get_all_params().get("nan_mode") != "Max", model, "nan_mode Max is lost in its export"
    )


def _export(model: Any) -> onnx.GraphProto:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        try:
            model.save_model(str(path), format="onnx")
        except CatBoostError as error:
            raise CompileRefused(f"no graph can be made of {type(model).__name__}: {error}") from error
        loaded: onnx.ModelProto = onnx.load(path)
        return loaded.graph


CONVERTERS: dict[type, Any] = {CatBoostRegressor: add_regressor, CatBoostClassifier: add_classifier}
