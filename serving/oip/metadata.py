"""What a model's metadata says of its tensors, and which outputs a request may ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from modelkit.definition import ModelDefinition
from modelkit.errors import FieldError, InvalidRequest
from serving.loaded_model import LoadedModel
from serving.oip.layout import layout_of
from serving.oip.tensors import BYTES, FP64, TensorMetadata

PREDICTION, LOWER, UPPER, PROBABILITIES, PREDICTION_ID = (
    "prediction",
    "lower",
    "upper",
    "probabilities",
    "prediction_id",
)
ROWS = -1


def input_metadata(definition: ModelDefinition) -> list[TensorMetadata]:
    """One tensor per field of the request."""
    fields = layout_of(definition.request).fields
    return [TensorMetadata(field.name, field.datatype, (ROWS,)) for field in fields]


def output_metadata(definition: ModelDefinition, model: LoadedModel | None) -> list[TensorMetadata]:
    """What `model` answers; None where no version is loaded: then without bounds, which only a version can promise."""
    bounded = model is not None and gives_bounds(model)
    return list(_outputs(len(definition.classes), bounded=bounded).values())


def outputs_by_name(model: LoadedModel) -> Mapping[str, TensorMetadata]:
    return _outputs(len(model.definition.classes), bounded=gives_bounds(model))


def gives_bounds(model: LoadedModel) -> bool:
    """Whether this version of a regressor gives a lower and an upper bound."""
    outputs = model.servable.contract.golden_outputs
    return not model.definition.classes and bool(outputs) and len(outputs[0]) > 1


def check_wanted(model: LoadedModel, wanted: Sequence[str]) -> None:
    """Raises InvalidRequest where the model has no such output; before anything is computed."""
    known = outputs_by_name(model)
    errors = [
        FieldError(pointer=f"/outputs/{place}/name", detail=f"Outputs are {', '.join(sorted(known))}")
        for place, name in enumerate(wanted)
        if name not in known
    ]
    if errors:
        raise InvalidRequest("The model has no such output", errors=errors)


@cache
def _outputs(classes: int, *, bounded: bool) -> Mapping[str, TensorMetadata]:
    outputs = [TensorMetadata(PREDICTION, BYTES if classes else FP64, (ROWS,))]
    if classes:
        outputs.append(TensorMetadata(PROBABILITIES, FP64, (ROWS, classes)))
    if bounded:
        outputs += [TensorMetadata(LOWER, FP64, (ROWS,)), TensorMetadata(UPPER, FP64, (ROWS,))]
    outputs.append(TensorMetadata(PREDICTION_ID, BYTES, (ROWS,)))
    return {output.name: output for output in outputs}
