"""A line for each request: what was asked, how it went, how long it took, and the ids under which more is known.

Nothing of the caller's but his ids: no query, no header, and a path only where it is one of ours to the letter.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from serving.logging_settings import LogLevel
from serving.tracing.context import TRACE

_encode = msgspec.json.Encoder().encode


class Request(msgspec.Struct, frozen=True, gc=False):
    """One that was answered, at `time` in seconds since the epoch. `path` is empty unless it is one of ours to the letter,
    `error` is a problem's code.
    """

    time: float
    method: str
    path: str
    route: str
    status: int
    seconds: float
    request_id: str
    traceparent: bytes
    error: str


class _Line(msgspec.Struct, omit_defaults=True, gc=False):
    logger: str
    event: str
    level: str
    timestamp: datetime
    method: str
    route: str
    status: int
    latency_ms: float
    request_id: str
    trace_id: str
    path: str = ""
    error: str = ""


class ServiceLines:
    """At WARNING and above only what went wrong here is written."""

    def __init__(self, level: LogLevel) -> None:
        self._all = level in (LogLevel.DEBUG, LogLevel.INFO)

    def __call__(self, request: Request) -> bytes | None:
        broken = request.status >= 500
        if not (self._all or broken):
            return None
        line = _Line(
            logger="slipway.service",
            event="REQUEST",
            level="error" if broken else "info",
            timestamp=datetime.fromtimestamp(request.time, UTC),
            method=request.method,
            route=request.route,
            status=request.status,
            latency_ms=round(request.seconds * 1000, 3),
            request_id=request.request_id,
            trace_id=request.traceparent[TRACE].decode(),
            path=request.path,
            error=request.error,
        )
        return _encode(line) + b"\n"
