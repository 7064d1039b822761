"""Between the protocol's messages and its tensors: typed contents by datatype, raw ones by `serving.oip.raw`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Any, TypeVar

import numpy as np
from google.protobuf.message import DecodeError, Message
from numpy.typing import NDArray

from modelkit.errors import InvalidRequest
from serving.grpc.open_inference_grpc_pb2 import (
    InferParameter,
    InferTensorContents,
    ModelInferRequest,
    ModelInferResponse,
)
from serving.oip.raw import read_raw, write_raw
from serving.oip.tensors import BOOL, BYTES, NUMERIC, Tensor, refused
from serving.oip.wishes import refuse_unknown_wishes

# Which member of the contents holds elements of a datatype; FP16 has none, and only comes raw.
MEMBERS = {
    BOOL: "bool_contents",
    **dict.fromkeys(("INT8", "INT16", "INT32"), "int_contents"),
    "INT64": "int64_contents",
    **dict.fromkeys(("UINT8", "UINT16", "UINT32"), "uint_contents"),
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    BYTES: "bytes_contents",
}


Kind = TypeVar("Kind", bound=Message)


def parsed(kind: type[Kind], message: bytes) -> Kind:
    """Raises InvalidRequest."""
    try:
        found: Kind = kind.FromString(message)
    except DecodeError:
        raise InvalidRequest(f"The message is no {kind.DESCRIPTOR.name}") from None
    return found


def refuse_wishes(request: ModelInferRequest) -> None:
    """Raises InvalidRequest for what would change the answer and is not done here."""
    if request.parameters or request.outputs:
        outputs = [(output.name, _plain(output.parameters)) for output in request.outputs]
        refuse_unknown_wishes(_plain(request.parameters), outputs)


def tensors_of(request: ModelInferRequest) -> Iterator[Tensor]:
    """One after the other. Raises InvalidRequest, with a pointer to what is wrong."""
    raw = request.raw_input_contents
    if raw and len(raw) != len(request.inputs):
        raise refused(
            "/raw_input_contents", f"There are {len(request.inputs)} inputs and {len(raw)} contents"
        )
    for place, tensor in enumerate(request.inputs):
        made = _raw(place, tensor, raw[place]) if raw else _typed(place, tensor)
        if tensor.parameters:
            made.parameters = _plain(tensor.parameters)
        yield made


def _plain(parameters: Mapping[str, InferParameter]) -> dict[str, Any]:
    chosen = ((name, value, value.WhichOneof("parameter_choice")) for name, value in parameters.items())
    return {name: getattr(value, choice) if choice else None for name, value, choice in chosen}


def _raw(place: int, tensor: ModelInferRequest.InferInputTensor, contents: bytes) -> Tensor:
    if tensor.HasField("contents"):
        raise refused(f"/inputs/{place}/contents", "Inputs are raw or typed, not both")
    return read_raw(tensor.name, tensor.datatype, tuple(tensor.shape), contents, place=place)


def _typed(place: int, tensor: ModelInferRequest.InferInputTensor) -> Tensor:
    member = MEMBERS.get(tensor.datatype)
    if member is None:
        raise refused(f"/inputs/{place}/datatype", "There is no such datatype, or it has to be raw")
    others = [found.name for found, _ in tensor.contents.ListFields() if found.name != member]
    if others:
        raise refused(f"/inputs/{place}/contents", f"{tensor.datatype} belongs into {member}")
    values, shape = getattr(tensor.contents, member), tuple(tensor.shape)
    if len(values) != prod(shape) or any(size < 0 for size in shape):
        raise refused(f"/inputs/{place}/shape", f"{len(values)} elements are not a tensor of this shape")
    data = list(values) if tensor.datatype == BYTES else _array(place, tensor.datatype, values)
    return Tensor(tensor.name, tensor.datatype, shape, data)


def _array(place: int, datatype: str, values: Sequence[Any]) -> NDArray[Any]:
    try:
        return np.array(values, NUMERIC[datatype])
    except OverflowError:
        raise refused(f"/inputs/{place}/contents", f"An element is out of the range of {datatype}") from None


def write_output(response: ModelInferResponse, tensor: Tensor, *, raw: bool) -> None:
    output = response.outputs.add(name=tensor.name, datatype=tensor.datatype, shape=tensor.shape)
    if raw:
        response.raw_output_contents.append(write_raw(tensor))
    else:
        _write_typed(output.contents, tensor)


def _write_typed(contents: InferTensorContents, tensor: Tensor) -> None:
    values: Sequence[object] = tensor.data
    if tensor.datatype == BYTES:
        values = [value.encode() if isinstance(value, str) else value for value in values]
    getattr(contents, MEMBERS[tensor.datatype]).extend(values)
