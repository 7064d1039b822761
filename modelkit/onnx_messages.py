"""ONNX files without the onnx library, which is not in the image: the few messages and fields of its format that are read here.

Numbers of fields are those of the published onnx.proto; protobuf, which does the reading, comes with ONNX Runtime.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from numpy.typing import NDArray

PACKAGE = "slipway.onnx"
# Message: its fields as (number, type), a star before the type of a repeated one.
MESSAGES = {
    "Model": {"graph": (7, "Graph")},
    "Graph": {"node": (1, "*Node"), "initializer": (5, "*Tensor")},
    "Node": {
        "input": (1, "*string"),
        "output": (2, "*string"),
        "op_type": (4, "string"),
        "attribute": (5, "*Attribute"),
    },
    "Attribute": {
        "name": (1, "string"),
        "f": (2, "float"),
        "i": (3, "int64"),
        "s": (4, "bytes"),
        "floats": (7, "*float"),
        "ints": (8, "*int64"),
        "strings": (9, "*bytes"),
        "type": (20, "int32"),
    },
    "Tensor": {
        "dims": (1, "*int64"),
        "data_type": (2, "int32"),
        "name": (8, "string"),
        "raw_data": (9, "bytes"),
    },
}
# TensorProto.DataType to numpy, little-endian as the format says.
DTYPES = {1: "<f4", 6: "<i4", 7: "<i8", 9: "?", 11: "<f8"}


def read_graph(model: bytes) -> Any:
    """The graph of a model file. Raises google.protobuf.message.DecodeError."""
    return _model_class().FromString(model).graph


def tensor_values(tensor: Any) -> NDArray[Any] | None:
    """None for a type that is not among `DTYPES`, and for values that are not raw bytes."""
    dtype = DTYPES.get(tensor.data_type)
    if dtype is None or not tensor.raw_data:
        return None
    return np.frombuffer(tensor.raw_data, dtype=dtype).reshape(tuple(tensor.dims))


@cache
def _model_class() -> Any:
    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="slipway_onnx.proto", package=PACKAGE, syntax="proto2")
    for message, fields in MESSAGES.items():
        described = file.message_type.add(name=message)
        for name, (number, kind) in fields.items():
            plain = kind.lstrip("*")
            label = kinds.LABEL_REPEATED if kind.startswith("*") else kinds.LABEL_OPTIONAL
            field = described.field.add(name=name, number=number, label=label)
            if plain in MESSAGES:
                field.type, field.type_name = kinds.TYPE_MESSAGE, f".{PACKAGE}.{plain}"
            else:
                field.type = getattr(kinds, f"TYPE_{plain.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.Model"))
