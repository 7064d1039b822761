"""Requests of the Open Inference Protocol over gRPC, and what their methods answer with."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

from grpc_health.v1 import health_pb2

from serving.grpc import open_inference_grpc_pb2 as pb
from serving.grpc.messages import MEMBERS
from tests.front_service import FLOWER

ANSWERS = {
    **{name: getattr(pb, f"{name}Response") for name in ("ServerLive", "ServerReady", "ServerMetadata")},
    **{name: getattr(pb, f"{name}Response") for name in ("ModelReady", "ModelMetadata", "ModelInfer")},
    "Check": health_pb2.HealthCheckResponse,
    "List": health_pb2.HealthListResponse,
}


def flowers(*rows: Mapping[str, float], raw: bool = False, **message: Any) -> pb.ModelInferRequest:
    """Rows for iris; without any its example."""
    request = pb.ModelInferRequest(**{"model_name": "iris", **message})
    asked = rows or (FLOWER,)
    for name in asked[0]:
        add_tensor(request, name, "FP64", [row[name] for row in asked], raw=raw)
    return request


def add_tensor(
    request: pb.ModelInferRequest, name: str, datatype: str, values: Sequence[Any], *, raw: bool = False
) -> None:
    tensor = request.inputs.add(name=name, datatype=datatype, shape=[len(values)])
    if raw:
        request.raw_input_contents.append(struct.pack(f"<{len(values)}d", *values))
    else:
        getattr(tensor.contents, MEMBERS[datatype]).extend(values)


def output(answer: pb.ModelInferResponse, name: str) -> list[Any]:
    """The elements of a typed output."""
    (found,) = [each for each in answer.outputs if each.name == name]
    return list(getattr(found.contents, MEMBERS[found.datatype]))
