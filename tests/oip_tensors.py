"""Rows as the tensors that a client of the Open Inference Protocol would send, for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from modelkit.definition import ModelDefinition
from serving.oip.metadata import input_metadata
from serving.oip.raw import read_raw, write_raw
from serving.oip.tensors import NUMERIC, Tensor

Row = Mapping[str, Any]


def tensors_of(definition: ModelDefinition, rows: Sequence[Row]) -> list[Tensor]:
    """One tensor per field that any of the rows has."""
    shape = (len(rows),)
    return [
        Tensor(announced.name, announced.datatype, shape, [row.get(announced.name) for row in rows])
        for announced in input_metadata(definition)
        if any(row.get(announced.name) is not None for row in rows)
    ]


def json_inputs(definition: ModelDefinition, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The same as members of a request in JSON."""
    return [
        {"name": each.name, "datatype": each.datatype, "shape": list(each.shape), "data": each.data}
        for each in tensors_of(definition, rows)
    ]


def through_bytes(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Written as raw bytes and read again. A null is NaN, or no bytes at all."""
    return [
        read_raw(each.name, each.datatype, each.shape, write_raw(each), place=place)
        for place, each in enumerate(map(_sayable, tensors))
    ]


def _sayable(tensor: Tensor) -> Tensor:
    if None not in tensor.data:
        return tensor
    if tensor.datatype not in NUMERIC:
        return Tensor(tensor.name, tensor.datatype, tensor.shape, [each or "" for each in tensor.data])
    return Tensor(tensor.name, "FP64", tensor.shape, np.array(tensor.data, np.float64))
