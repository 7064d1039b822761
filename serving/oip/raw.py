"""Tensors as raw bytes and back: HTTP's binary tensor data extension and gRPC's `raw_*_contents` have the same form.

Little endian; an element of BYTES is its length in four bytes and then itself; BOOL is one byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from struct import Struct
from typing import Any

import numpy as np

from serving.oip.tensors import BOOL, BYTES, NUMERIC, Tensor, refused

_LENGTH = 4
_length_at = Struct("<I").unpack_from


def read_raw(name: str, datatype: str, shape: tuple[int, ...], raw: bytes, *, place: int = 0) -> Tensor:
    """A tensor over its raw bytes. `place` is its own among the inputs. Raises InvalidRequest."""
    where = f"/inputs/{place}"
    if any(size < 0 for size in shape):
        raise refused(f"{where}/shape", "Sizes are not negative")
    if datatype == BYTES:
        return Tensor(name, datatype, shape, _texts(raw, prod(shape), where))
    dtype = NUMERIC.get(datatype)
    if dtype is None:
        raise refused(f"{where}/datatype", "There is no such datatype")
    if len(raw) != dtype.itemsize * prod(shape):
        raise refused(f"{where}/shape", f"{len(raw)} bytes are not a tensor of this shape and datatype")
    data = np.frombuffer(raw, np.uint8 if datatype == BOOL else dtype)
    if datatype == BOOL:
        if data.size and data.max() > 1:
            raise refused(f"{where}/data/{int(data.argmax())}", "A BOOL is a byte of 0 or 1")
        data = data.view(np.bool_)
    return Tensor(name, datatype, shape, data)


def write_raw(tensor: Tensor) -> bytes:
    """The raw bytes of a tensor of ours: its data is flat."""
    if tensor.datatype == BYTES:
        return _lengths_and_texts(tensor.data)
    return np.asarray(tensor.data, NUMERIC[tensor.datatype]).tobytes()


def _texts(raw: bytes, count: int, where: str) -> list[bytes]:
    found: list[bytes] = []
    start, end = 0, len(raw)
    while start + _LENGTH <= end and len(found) < count:
        first = start + _LENGTH
        stop = first + _length_at(raw, start)[0]
        if stop > end:
            break
        found.append(raw[first:stop])
        start = stop
    if start != end or len(found) != count:
        raise refused(f"{where}/shape", f"The bytes are not {count} elements, each with its length before it")
    return found


def _lengths_and_texts(values: Sequence[Any]) -> bytes:
    encoded = [value.encode() if isinstance(value, str) else bytes(value) for value in values]
    lengths: dict[int, bytes] = {}
    parts: list[bytes] = []
    for each in encoded:
        size = len(each)
        parts.append(lengths.get(size) or lengths.setdefault(size, size.to_bytes(_LENGTH, "little")))
        parts.append(each)
    return b"".join(parts)
