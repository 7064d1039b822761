"""What is told of an HTTP request beside its answer: a line in the service log, and spans if it is recorded."""

from __future__ import annotations

import time
from collections.abc import Container
from typing import NamedTuple

from serving.http.exchange import Exchange
from serving.metrics import Metrics
from serving.request_log.service_lines import Request
from serving.request_log.writer import Stream
from serving.tracing.context import TraceParents, well_formed
from serving.tracing.spans import Value
from serving.tracing.stages import Stages
from serving.tracing.tracer import Told, Tracer

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
TRACEPARENT, TRACESTATE = b"traceparent", b"tracestate"


class Telling:
    """Every answer is counted. Lines and spans may be off; there are none of `quiet` routes, which those who probe and
    scrape ask every few seconds. `own_paths` may be written down as they come.
    """

    def __init__(
        self,
        metrics: Metrics,
        *,
        lines: Stream[Request] | None,
        tracer: Tracer | None,
        own_paths: Container[str],
        quiet: Container[str],
    ) -> None:
        self.metrics = metrics
        self._lines, self._tracer, self._own_paths, self._quiet = lines, tracer, own_paths, quiet
        self.new_trace = TraceParents()
        self.records = tracer is not None

    def join(self, exchange: Exchange, given: bytes | None, template: str) -> None:
        """Finds the request's place in its caller's trace, and whether it is recorded."""
        if given is not None and (_repeated(exchange) or not well_formed(given)):
            given = None
        if self._tracer is not None and template not in self._quiet:
            state = b",".join([value for name, value in exchange.scope["headers"] if name == TRACESTATE])
            exchange.traceparent, exchange.stages = self._tracer.begin(given, state, exchange.arrived)
        else:
            exchange.traceparent = self.new_trace() if given is None else self.new_trace.within(given)

    def answered(self, exchange: Exchange, template: str, status: int, error: str = "") -> None:
        """`error` is a problem's code."""
        scope = exchange.scope
        method, path = scope["method"], scope["path"]
        if method not in METHODS:
            method = "OTHER"  # callers may make up any
        seconds = time.perf_counter() - exchange.arrived
        self.metrics.request_finished(template, method, status, seconds)
        if self._lines is not None and template not in self._quiet:
            known = path if path in self._own_paths else ""
            ids = exchange.request_id, exchange.traceparent
            self._lines.items.append(
                Request(time.time(), method, known, template, status, seconds, *ids, error)
            )
        if exchange.stages is not None:
            self._record(exchange, exchange.stages, Answer(method, template, status, error))

    def _record(self, exchange: Exchange, stages: Stages, answer: Answer) -> None:
        assert self._tracer is not None, "stages are a tracer's"
        stages.ended("write")
        attributes = _attributes(answer, exchange.scope.get("scheme", "http"))
        attributes["slipway.request_id"] = exchange.request_id
        name = f"{answer.method} {answer.route}"
        told = Told(name, exchange.arrived, attributes, answer.status >= 500)
        self._tracer.answered(exchange.traceparent, stages, told)


class Answer(NamedTuple):
    method: str
    route: str
    status: int
    error: str


def _repeated(exchange: Exchange) -> bool:
    """Which of two traces would be the caller's?"""
    pairs = exchange.scope["headers"]
    return len(pairs) != len(exchange.headers) and sum(name == TRACEPARENT for name, _ in pairs) > 1


def _attributes(answer: Answer, scheme: str) -> dict[str, Value]:
    """By OpenTelemetry's semantic conventions for HTTP servers; without the path, which may hold anything."""
    attributes: dict[str, Value] = {
        "http.request.method": answer.method,
        "http.route": answer.route,
        "http.response.status_code": answer.status,
        "url.scheme": scheme,
    }
    if answer.error:
        attributes["error.type"] = answer.error
    return attributes
