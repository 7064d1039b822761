"""One row in JSON with the datatypes that the metadata names, read without columns: what most requests are.

Whatever is out of the ordinary, right or wrong, is left to `columns_of`, which takes everything and explains.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from modelkit.rows import RowReader
from serving.oip.layout import Layout
from serving.oip.tensors import BOOL, BYTES, FP64, INT64, Tensor
from serving.oip.wishes import CONTENTS_ELSEWHERE

_SHAPES = ((1,), (1, 1))
_TYPES: dict[str, tuple[type, ...]] = {FP64: (float, int), INT64: (int,), BOOL: (bool,), BYTES: (str,)}


def plain_row(reader: RowReader, layout: Layout, tensors: Sequence[Tensor]) -> msgspec.Struct | None:
    """None where it is not one plain row."""
    values = {}
    datatypes = layout.datatypes
    for tensor in tensors:
        datatype, data = tensor.datatype, tensor.data
        if (
            datatypes.get(tensor.name) != datatype
            or tensor.shape not in _SHAPES
            or type(data) is not list
            or len(data) != 1
            or type(data[0]) not in _TYPES[datatype]
            or (tensor.parameters and not CONTENTS_ELSEWHERE.isdisjoint(tensor.parameters))
        ):
            return None
        values[tensor.name] = data[0]
    if len(values) != len(tensors):
        return None
    try:
        return msgspec.convert(values, reader.struct)
    except msgspec.ValidationError:
        return None


class PointingOne:
    """Places of its values, for what is found to be wrong with it later."""

    __slots__ = ("_tensors",)

    def __init__(self, tensors: Sequence[Tensor]) -> None:
        self._tensors = tensors

    def __call__(self, place: int, field: str) -> str:
        found = [number for number, tensor in enumerate(self._tensors) if tensor.name == field]
        return f"/inputs/{found[0]}/data/0" if found else "/inputs"
