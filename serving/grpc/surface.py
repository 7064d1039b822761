"""The table of contents of the gRPC API: every method, its scope, and whether it is open. Imports nothing of gRPC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from auth.scopes import READ

INFERENCE = "inference.GRPCInferenceService"
HEALTH = "grpc.health.v1.Health"
REFLECTION = "grpc.reflection.v1.ServerReflection"
REFLECTION_ALPHA = "grpc.reflection.v1alpha.ServerReflection"  # the same messages by its older name


@dataclass(frozen=True, slots=True)
class Rpc:
    """One method. `scope` is needed unless it is open; probes are never shed, and only what is `limited` meets the
    adaptive limit. As `serving.http.app.Route` says of a path.
    """

    service: str
    name: str
    scope: str | None = None
    open: bool = False
    probe: bool = False
    limited: bool = False

    @property
    def path(self) -> str:
        return f"/{self.service}/{self.name}"


LIVE = Rpc(INFERENCE, "ServerLive", open=True, probe=True)
READY = Rpc(INFERENCE, "ServerReady", open=True, probe=True)
MODEL_READY = Rpc(INFERENCE, "ModelReady", open=True, probe=True)
SERVER_METADATA = Rpc(INFERENCE, "ServerMetadata", open=True)
MODEL_METADATA = Rpc(INFERENCE, "ModelMetadata", scope=READ)
INFER = Rpc(INFERENCE, "ModelInfer", limited=True)  # the scope depends on the model
CHECK = Rpc(HEALTH, "Check", open=True, probe=True)
LIST = Rpc(HEALTH, "List", open=True, probe=True)
WATCH = Rpc(HEALTH, "Watch", open=True, probe=True)
REFLECT = Rpc(REFLECTION, "ServerReflectionInfo", open=True)
REFLECT_ALPHA = Rpc(REFLECTION_ALPHA, "ServerReflectionInfo", open=True)
UNKNOWN = Rpc("", "unknown")  # a token is needed to be told so

RPCS: Mapping[str, Rpc] = {
    rpc.path: rpc
    for rpc in (
        *(LIVE, READY, MODEL_READY, SERVER_METADATA, MODEL_METADATA, INFER),
        *(CHECK, LIST, WATCH, REFLECT, REFLECT_ALPHA),
    )
}
OPEN_PATHS = frozenset(path for path, rpc in RPCS.items() if rpc.open)
