"""What the gRPC port is made of, as the composition root hands it over. Imports nothing of gRPC."""

from __future__ import annotations

from dataclasses import dataclass

from serving.grpc.telling import GrpcTelling
from serving.inference import Inference
from serving.metrics import Metrics
from serving.model_board import ModelBoard
from serving.overload.door import Door
from serving.readiness import Readiness
from serving.settings import Settings
from serving.splitting import SplitBy


@dataclass(frozen=True, kw_only=True, slots=True)
class GrpcLimits:
    """Those of HTTP, which hold for every protocol. `several` workers share the port."""

    max_in_flight: int
    max_body_bytes: int
    max_instances: int
    request_timeout_seconds: float
    split_keys: bool
    several: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class GrpcParts:
    """`door` knows the open methods of `serving.grpc.surface`."""

    door: Door
    inference: Inference
    board: ModelBoard
    readiness: Readiness
    metrics: Metrics
    limits: GrpcLimits
    telling: GrpcTelling


def grpc_limits(settings: Settings) -> GrpcLimits:
    return GrpcLimits(
        max_in_flight=settings.max_in_flight,
        max_body_bytes=settings.max_body_bytes,
        max_instances=settings.max_instances,
        request_timeout_seconds=settings.request_timeout_seconds,
        split_keys=settings.ab_split_by is SplitBy.KEY,
        several=settings.workers > 1,
    )
