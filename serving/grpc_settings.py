"""The settings of gRPC. Read with the others, by `Settings`."""

from __future__ import annotations

from pydantic import BaseModel, Field


class GrpcSettings(BaseModel):
    """A part of `serving.settings.Settings`, which is what reads the environment."""

    grpc_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="port of the Open Inference Protocol over gRPC; 0: off, and not imported",
    )
