"""The body of an inference request or answer over HTTP: JSON, or JSON with the bytes of binary tensors behind it."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from modelkit.errors import FieldError, InvalidRequest, UnsupportedMediaType
from serving.http.exchange import JSON
from serving.http.request_rows import BAD_BODY, refuse_deep
from serving.oip.raw import read_raw
from serving.oip.tensors import Tensor, refused

CONTENT_LENGTH = b"inference-header-content-length"
OCTETS = b"application/octet-stream"
SIZE = "binary_data_size"


class WantedOutput(msgspec.Struct, gc=False):
    """An output that is asked for, and whether as bytes."""

    name: str
    parameters: dict[str, Any] = {}

    def is_binary(self, *, otherwise: bool) -> bool:
        return self.parameters.get("binary_data", otherwise) is True


class InferRequest(msgspec.Struct, gc=False):
    """The JSON of a request; members that the protocol does not know are left alone, as it says."""

    inputs: list[Tensor]
    id: str | msgspec.UnsetType = msgspec.UNSET
    parameters: dict[str, Any] = {}
    outputs: list[WantedOutput] = []

    @property
    def wants_binary(self) -> bool:
        return self.parameters.get("binary_data_output") is True


class InferResponse(msgspec.Struct, gc=False):
    """The JSON of an answer."""

    model_name: str
    model_version: str
    outputs: list[Tensor]
    id: str | msgspec.UnsetType
    parameters: dict[str, Any]


_decode = msgspec.json.Decoder(InferRequest).decode


def read_request(body: bytes, headers: dict[bytes, bytes], max_depth: int) -> InferRequest:
    """Raises UnsupportedMediaType or InvalidRequest."""
    media_type = headers.get(b"content-type", JSON)
    if media_type != JSON and media_type.split(b";", 1)[0].strip().lower() not in (JSON, OCTETS):
        raise UnsupportedMediaType("the body must be application/json, or application/octet-stream")
    length = headers.get(CONTENT_LENGTH)
    if length is None:
        return _read_json(body, max_depth)
    size = int(length) if length.isdigit() and len(length) < 20 else -1
    if not 0 < size <= len(body):
        raise InvalidRequest("Inference-Header-Content-Length is not the length of JSON in this body")
    request = _read_json(body[:size], max_depth)
    request.inputs = _with_bytes(request.inputs, body[size:])
    return request


def _read_json(body: bytes, max_depth: int) -> InferRequest:
    try:
        return _decode(body)
    except BAD_BODY as error:
        refuse_deep(body, max_depth)
        raise InvalidRequest("The body is no inference request", errors=[_place_of(error)]) from None


def _with_bytes(inputs: list[Tensor], rest: bytes) -> list[Tensor]:
    """The tensors whose bytes follow the JSON, in their order."""
    found, start = [], 0
    for place, tensor in enumerate(inputs):
        size = tensor.parameters.get(SIZE) if tensor.parameters else None
        if size is None:
            found.append(tensor)
            continue
        pointer = f"/inputs/{place}/parameters/{SIZE}"
        if type(size) is not int or not 0 <= size <= len(rest) - start:
            raise refused(pointer, "There are not so many bytes behind the JSON")
        raw = rest[start : start + size]
        found.append(read_raw(tensor.name, tensor.datatype, tensor.shape, raw, place=place))
        start += size
    if start != len(rest):
        raise refused("/inputs", "There are bytes behind the JSON that belong to no tensor")
    return found


def _place_of(error: Exception) -> FieldError:
    """msgspec names types and our own members; what it says of JSON itself may quote the body and is not shown."""
    said, _, path = str(error).partition(" - at `$")
    if not isinstance(error, msgspec.ValidationError):
        return FieldError(pointer="", detail="Input should be JSON")
    pointer = re.sub(r"\[(\d+)\]", r"/\1", path.rstrip("`").replace(".", "/").replace("[...]", ""))
    return FieldError(pointer=pointer, detail=said)
