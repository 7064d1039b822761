"""What a span is here, and which requests get any: no library's objects, so that an unrecorded request meets none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from serving.logging_settings import LoggingSettings, Sampler
from serving.tracing.context import is_sampled

Value = str | bool | int | float
# Whether a trace is recorded: our `traceparent`, and the one that came in, if any.
Decide = Callable[[bytes, bytes | None], bool]

ALL = 1 << 64


class Span(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Times are nanoseconds since the epoch. `remote`: the parent is the caller's and not ours."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str = ""
    remote: bool = False
    state: str = ""
    server: bool = False
    started: int
    ended: int
    attributes: dict[str, Value] = {}
    failed: bool = False


class Spans(Protocol):
    """Where finished spans are left. Never waits and never fails."""

    def offer(self, spans: Sequence[Span]) -> None: ...


def decision_of(settings: LoggingSettings) -> Decide:
    """OpenTelemetry's samplers, which all services of a trace must understand alike."""
    sampler = settings.otel_traces_sampler
    root = _ROOTS[sampler](round(settings.otel_traces_sampler_arg * ALL))
    if not sampler.value.startswith("parentbased_"):
        return lambda ours, given: root(ours)
    return lambda ours, given: root(ours) if given is None else is_sampled(given)


def _always(bound: int) -> Callable[[bytes], bool]:
    return lambda ours: True


def _never(bound: int) -> Callable[[bytes], bool]:
    return lambda ours: False


def _share(bound: int) -> Callable[[bytes], bool]:
    return lambda ours: int(ours[19:35], 16) < bound


_ROOTS = {
    Sampler.ALWAYS_ON: _always,
    Sampler.ALWAYS_OFF: _never,
    Sampler.RATIO: _share,
    Sampler.PARENT_ALWAYS_ON: _always,
    Sampler.PARENT_ALWAYS_OFF: _never,
    Sampler.PARENT_RATIO: _share,
}
