"""A tracer and its way out, from the settings: one for each process that exports spans."""

from __future__ import annotations

from functools import partial

from serving.logging_settings import LoggingSettings
from serving.tracing.batches import Counted, Export, SpanBatches, batch_limits
from serving.tracing.context import TraceParents
from serving.tracing.spans import decision_of
from serving.tracing.tracer import Tracer

LAST_SPANS_SECONDS = 2.0


class Tracing:
    """Exports from `start` to `close`. `start` costs nobody a wait: its thread imports what it needs."""

    def __init__(self, settings: LoggingSettings, service: str, counted: Counted) -> None:
        make_export = partial(_make_export, settings, service)
        self._batches = SpanBatches(make_export, batch_limits(settings), counted)
        self.tracer = Tracer(TraceParents(), decision_of(settings), self._batches)
        self.start = self._batches.start

    def close(self) -> None:
        """What no exporter takes within two seconds is lost, and counted."""
        self._batches.close(LAST_SPANS_SECONDS)


def tracing_of(settings: LoggingSettings, service: str, counted: Counted) -> Tracing | None:
    """None where nobody wants spans."""
    return Tracing(settings, service, counted) if settings.records_spans else None


def _make_export(settings: LoggingSettings, service: str) -> Export:
    from serving.tracing.otel import make_export

    return make_export(settings.otel_traces_exporter, service)
