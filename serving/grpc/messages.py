"""Between the protocol's messages and its tensors: typed contents by datatype, raw ones by `serving.oip.raw`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from typing import Any, TypeVar

import numpy as np
from google.protobuf.message import DecodeError, Message
from numpy.typing import NDArray

from modelkit.errors import InvalidRequest
from serving.grpc.open_inference_grpc_pb2 import InferTensorContents, ModelInferRequest, ModelInferResponse
from serving.oip.raw import read_raw, write_raw
from serving.oip.tensors import BOOL, BYTES, NUMERIC, Tensor, refused

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


def refuse_unknown_wishes(request: ModelInferRequest) -> None:
    """Raises InvalidRequest for what would change the answer and is not done here."""
    if "on_error" in request.parameters and request.parameters["on_error"].string_param != "fail":
        detail = "Tensors have one element per row: ask /predict/{model} over HTTP to skip rows"
        raise refused("/parameters/on_error", detail)
    for place, output in enumerate(request.outputs):
        if "classification" in output.parameters:
            pointer = f"/outputs/{place}/parameters/classification"
            raise refused(pointer, "Ask for the output `probabilities`")


def tensors_of(request: ModelInferRequest) -> list[Tensor]:
    """Raises InvalidRequest, with a pointer to what is wrong."""
    raw = request.raw_input_contents
    if not raw:
        return [_typed(place, tensor) for place, tensor in enumerate(request.inputs)]
    if len(raw) != len(request.inputs):
        raise refused(
            "/raw_input_contents", f"There are {len(request.inputs)} inputs and {len(raw)} contents"
        )
    for place, tensor in enumerate(request.inputs):
        if tensor.HasField("contents"):
            raise refused(f"/inputs/{place}/contents", "Inputs are raw or typed, not both")
    return [
        read_raw(tensor.name, tensor.datatype, tuple(tensor.shape), contents, place=place)
        for place, (tensor, contents) in enumerate(zip(request.inputs, raw, strict=True))
    ]


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


def write_outputs(response: ModelInferResponse, tensors: Iterable[Tensor], *, raw: bool) -> None:
    for tensor in tensors:
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
