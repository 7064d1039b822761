"""The body of an inference request or answer over HTTP: JSON, or JSON with the bytes of binary tensors behind it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from modelkit.errors import FieldError, InvalidRequest, UnsupportedMediaType
from serving.http.exchange import JSON
from serving.http.request_rows import BAD_BODY, refuse_deep
from serving.oip.raw import read_raw
from serving.oip.tensors import Tensor, refused
from serving.oip.wishes import BYTES_BEHIND
from serving.turns import LARGE_BODY_BYTES

CONTENT_LENGTH = b"inference-header-content-length"
OCTETS = b"application/octet-stream"
ALL_BINARY, BINARY = "binary_data_output", "binary_data"


class WantedOutput(msgspec.Struct, gc=False):
    """An output that is asked for, and how."""

    name: str
    parameters: dict[str, Any] = {}


class InferRequest(msgspec.Struct, gc=False):
    """The JSON of a request; members that the protocol does not know are left alone, as it says."""

    inputs: list[Tensor]
    id: str | msgspec.UnsetType = msgspec.UNSET
    parameters: dict[str, Any] = {}
    outputs: list[WantedOutput] = []

    @property
    def wanted(self) -> list[str]:
        return [output.name for output in self.outputs]

    @property
    def wishes(self) -> list[tuple[str, dict[str, Any]]]:
        return [(output.name, output.parameters) for output in self.outputs]

    def wants_bytes(self) -> bool:
        """Of any output."""
        everything = self.parameters.get(ALL_BINARY) is True
        if not self.outputs:
            return everything
        return any(output.parameters.get(BINARY, everything) is True for output in self.outputs)

    def is_binary(self, name: str) -> bool:
        """Whether this output is wanted as bytes."""
        everything = self.parameters.get(ALL_BINARY) is True
        own = (output.parameters.get(BINARY, everything) for output in self.outputs if output.name == name)
        return next(own, everything) is True


class InferResponse(msgspec.Struct, gc=False):
    """The JSON of an answer."""

    model_name: str
    model_version: str
    outputs: list[Tensor]
    id: str | msgspec.UnsetType
    parameters: dict[str, Any]


_decode = msgspec.json.Decoder(InferRequest).decode


def read_request(
    body: bytes, headers: dict[bytes, bytes], max_depth: int
) -> tuple[InferRequest, list[Tensor] | Iterator[Tensor]]:
    """The request and its input tensors, which of a large body are made while they are iterated over.

    Raises UnsupportedMediaType or InvalidRequest.
    """
    media_type = headers.get(b"content-type", JSON)
    if media_type != JSON and media_type.split(b";", 1)[0].strip().lower() not in (JSON, OCTETS):
        raise UnsupportedMediaType("the body must be application/json, or application/octet-stream")
    length = headers.get(CONTENT_LENGTH)
    if length is None:
        request = _read_json(body, max_depth)
        return request, request.inputs
    size = int(length) if length.isdigit() and len(length) < 20 else -1
    if not 0 < size <= len(body):
        raise InvalidRequest("Inference-Header-Content-Length is not the length of JSON in this body")
    request = _read_json(body[:size], max_depth)
    tensors = _with_bytes(request.inputs, body[size:])
    return request, tensors if len(body) > LARGE_BODY_BYTES else list(tensors)


def _read_json(body: bytes, max_depth: int) -> InferRequest:
    try:
        return _decode(body)
    except BAD_BODY as error:
        refuse_deep(body, max_depth)
        raise InvalidRequest("The body is no inference request", errors=[_place_of(error)]) from None


def _with_bytes(inputs: list[Tensor], rest: bytes) -> Iterator[Tensor]:
    """The tensors whose bytes follow the JSON, in their order."""
    start = 0
    for place, tensor in enumerate(inputs):
        size = tensor.parameters.pop(BYTES_BEHIND, None) if tensor.parameters else None
        if size is None:
            yield tensor
            continue
        where = f"/inputs/{place}"
        if tensor.data is not None:
            raise refused(f"{where}/data", "The tensor's bytes follow the JSON: it has no `data`")
        if type(size) is not int or not 0 <= size <= len(rest) - start:
            raise refused(f"{where}/parameters/{BYTES_BEHIND}", "There are not so many bytes behind the JSON")
        raw = rest[start : start + size]
        found = read_raw(tensor.name, tensor.datatype, tensor.shape, raw, place=place)
        found.parameters = tensor.parameters
        yield found
        start += size
    if start != len(rest):
        raise refused("/inputs", "There are bytes behind the JSON that belong to no tensor")


def _place_of(error: Exception) -> FieldError:
    """msgspec names types and our own members; what it says of JSON itself may quote the body and is not shown."""
    said, _, path = str(error).partition(" - at `$")
    if not isinstance(error, msgspec.ValidationError):
        return FieldError(pointer="", detail="Input should be JSON")
    pointer = re.sub(r"\[(\d+)\]", r"/\1", path.rstrip("`").replace(".", "/").replace("[...]", ""))
    return FieldError(pointer=pointer, detail=said)
