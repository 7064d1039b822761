"""The door to OpenTelemetry: our spans as its SDK's, handed to its exporters, which read its environment variables.

Nothing else imports it, and nothing imports this unless spans are exported: a third of a second and 20 MB.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SpanExporter, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from serving.logging_settings import SpanExporter as Exporter
from serving.tracing.batches import Export
from serving.tracing.spans import Span

_SCOPE = InstrumentationScope("slipway")
_UNSET, _ERROR = Status(StatusCode.UNSET), Status(StatusCode.ERROR)


def make_export(kind: Exporter, service: str) -> Export:
    """An exporter of the kind; `service` is this program's name where OTEL_SERVICE_NAME gives none."""
    exporter = _exporter(kind)
    resource = Resource.create({SERVICE_NAME: service}).merge(OTELResourceDetector().detect())

    def export(spans: Sequence[Span]) -> bool:
        return exporter.export([_readable(span, resource) for span in spans]) is SpanExportResult.SUCCESS

    return export


def _exporter(kind: Exporter) -> SpanExporter:
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # `SpanBatches` says it, once a minute
    if kind is Exporter.OTLP:
        return OTLPSpanExporter()
    return ConsoleSpanExporter(out=sys.stdout, formatter=lambda span: span.to_json(indent=None) + "\n")


def _readable(span: Span, resource: Resource) -> ReadableSpan:
    trace_id, state = int(span.trace_id, 16), _state(span.state)
    return ReadableSpan(
        name=span.name,
        context=_context(trace_id, span.span_id, state, remote=False),
        parent=_context(trace_id, span.parent_id, state, remote=span.remote) if span.parent_id else None,
        resource=resource,
        attributes=span.attributes,
        kind=SpanKind.SERVER if span.server else SpanKind.INTERNAL,
        status=_ERROR if span.failed else _UNSET,
        start_time=span.started,
        end_time=span.ended,
        instrumentation_scope=_SCOPE,
    )


def _context(trace_id: int, span_id: str, state: TraceState, *, remote: bool) -> SpanContext:
    return SpanContext(trace_id, int(span_id, 16), remote, TraceFlags(TraceFlags.SAMPLED), state)


def _state(header: str) -> TraceState:
    return TraceState.from_header([header]) if header else TraceState()
