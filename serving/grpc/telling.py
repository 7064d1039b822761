"""What is told of a gRPC call beside its answer, as `serving.http.telling` does for HTTP: a line, and spans if it is recorded."""

from __future__ import annotations

import time
from typing import NamedTuple

from serving.grpc.call import GrpcCall
from serving.grpc.surface import Rpc
from serving.request_log.service_lines import Request
from serving.request_log.writer import Stream
from serving.tracing.context import TraceParents, well_formed
from serving.tracing.spans import Value
from serving.tracing.stages import Stages
from serving.tracing.tracer import Told, Tracer

OK, CANCELLED = 200, 499


class Called(NamedTuple):
    """A call that has ended. `status` is HTTP's for what happened, `code` gRPC's name of it, `error` a problem's code."""

    rpc: Rpc
    status: int
    code: str
    error: str


class GrpcTelling:
    """Nothing is told of probes."""

    def __init__(self, lines: Stream[Request] | None, tracer: Tracer | None) -> None:
        self._lines, self._tracer, self._parents = lines, tracer, TraceParents()

    def begin(
        self, rpc: Rpc, traceparent: bytes, state: bytes, arrived: float
    ) -> tuple[bytes, Stages | None]:
        """Our `traceparent`, and where stages are kept if the call is recorded."""
        if self._tracer is not None and not rpc.probe:
            return self._tracer.begin(traceparent, state, arrived)
        ours = self._parents.within(traceparent) if well_formed(traceparent) else self._parents()
        return ours, None

    def answered(self, call: GrpcCall, called: Called) -> None:
        if called.rpc.probe:
            return
        seconds, path = time.perf_counter() - call.arrived, called.rpc.path
        if self._lines is not None:
            ids = call.request_id, call.traceparent
            self._lines.items.append(
                Request(time.time(), "GRPC", path, path, called.status, seconds, *ids, called.error)
            )
        if call.stages is not None and self._tracer is not None:
            call.stages.ended("write")
            told = Told(path[1:], call.arrived, _attributes(called, call.request_id), called.status >= 500)
            self._tracer.answered(call.traceparent, call.stages, told)


def _attributes(called: Called, request_id: str) -> dict[str, Value]:
    """By OpenTelemetry's semantic conventions for gRPC servers."""
    attributes: dict[str, Value] = {
        "rpc.system.name": "grpc",
        "rpc.method": called.rpc.path[1:],
        "rpc.response.status_code": called.code,
        "slipway.request_id": request_id,
    }
    if called.error:
        attributes["error.type"] = called.error
    return attributes
