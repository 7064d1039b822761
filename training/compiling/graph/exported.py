"""Every other kind of step, by skl2onnx: the gates on parity say afterwards whether its export is good enough."""

from __future__ import annotations

from typing import Any

import onnx
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from skl2onnx.common.exceptions import MissingConverter, MissingShapeCalculator
from sklearn.base import is_classifier

from training.compiling.graph.assembly import ML_DOMAIN, ML_OPSET, OPSET, Assembly, Tensor
from training.errors import CompileRefused

UNABLE = (MissingConverter, MissingShapeCalculator, NotImplementedError, RuntimeError, TypeError, ValueError)


def add_exported(assembly: Assembly, step: Any, source: Tensor) -> Tensor:
    """A classifier's last output is its probabilities."""
    part = _export(step, source.width)
    output = part.output[-1]
    width = (
        output.type.tensor_type.shape.dim[1].dim_value if len(output.type.tensor_type.shape.dim) > 1 else 1
    )
    return Tensor(
        assembly.splice(part, source, output.name), len(step.classes_) if is_classifier(step) else width
    )


def _export(step: Any, width: int) -> onnx.GraphProto:
    try:
        converted: onnx.ModelProto = to_onnx(
            step,
            initial_types=[("X", FloatTensorType([None, width]))],
            target_opset={"": OPSET, ML_DOMAIN: ML_OPSET},
            options={id(step): {"zipmap": False}} if is_classifier(step) else None,
        )
    except UNABLE as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CompileRefused(f"no graph can be made of {type(step).__name__}: {reason}") from error
    return converted.graph
