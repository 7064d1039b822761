"""Which requests are recorded: as OpenTelemetry's own samplers decide, trace by trace."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.trace import sampling
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from serving.logging_settings import LoggingSettings, Sampler
from serving.tracing.context import TRACE, TraceParents, sampled
from serving.tracing.spans import decision_of

TRACES = 400
SHARE = 0.3
THEIRS = {
    Sampler.ALWAYS_ON: sampling.ALWAYS_ON,
    Sampler.ALWAYS_OFF: sampling.ALWAYS_OFF,
    Sampler.RATIO: sampling.TraceIdRatioBased(SHARE),
    Sampler.PARENT_ALWAYS_ON: sampling.DEFAULT_ON,
    Sampler.PARENT_ALWAYS_OFF: sampling.DEFAULT_OFF,
    Sampler.PARENT_RATIO: sampling.ParentBasedTraceIdRatio(SHARE),
}


def their_decision(sampler: sampling.Sampler, ours: bytes, given: bytes | None) -> bool:
    trace, context = int(ours[TRACE], 16), None
    if given is not None:
        flags = TraceFlags(int(given[-2:], 16))
        context = set_span_in_context(
            NonRecordingSpan(SpanContext(trace, 1, is_remote=True, trace_flags=flags))
        )
    return sampler.should_sample(context, trace, "request").decision.is_sampled()


@pytest.mark.parametrize("name", list(Sampler))
def test_each_sampler_decides_as_the_one_of_the_sdk(name: Sampler) -> None:
    settings = LoggingSettings(otel_traces_sampler=name, otel_traces_sampler_arg=SHARE)
    decide, parents = decision_of(settings), TraceParents()
    for _ in range(TRACES):
        unrecorded = parents()
        for given in (None, unrecorded, sampled(unrecorded)):
            assert decide(unrecorded, given) is their_decision(THEIRS[name], unrecorded, given)


def test_by_default_what_the_caller_records_is_recorded_and_so_is_what_begins_here() -> None:
    decide, ours = decision_of(LoggingSettings()), TraceParents()()
    assert decide(ours, None)
    assert decide(ours, sampled(ours))
    assert not decide(ours, ours)


def test_nothing_is_recorded_unless_somebody_asks_for_it() -> None:
    assert not LoggingSettings().records_spans
    assert LoggingSettings(otel_traces_exporter="otlp").records_spans
    assert not LoggingSettings(otel_traces_exporter="otlp", otel_sdk_disabled=True).records_spans
