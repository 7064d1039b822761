"""From a request's `traceparent` and stages to its spans, made after the answer has left. The same for every protocol."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import NamedTuple

from serving.tracing.context import SPAN, TRACE, TraceParents, sampled, unsampled, well_formed
from serving.tracing.spans import Decide, Span, Spans, Value
from serving.tracing.stages import Stage, Stages

MAX_STATE_BYTES = 2048


class Told(NamedTuple):
    """What a protocol knows of a request that it has answered, in OpenTelemetry's names for attributes."""

    name: str
    arrived: float
    attributes: Mapping[str, Value]
    failed: bool


class Tracer:
    """Decides which requests are recorded, and tells of those. There is none where no spans are exported."""

    def __init__(self, parents: TraceParents, decide: Decide, spans: Spans) -> None:
        self._parents, self._decide, self._spans = parents, decide, spans

    def begin(self, given: bytes | None, state: bytes, arrived: float) -> tuple[bytes, Stages | None]:
        """Our `traceparent`, and where stages are kept if this one is recorded. `given` may be anything."""
        if given is not None and not well_formed(given):
            given = None
        ours = self._parents() if given is None else self._parents.within(given)
        if not self._decide(ours, given):
            return unsampled(ours), None
        if given is None:
            return sampled(ours), Stages(arrived)
        kept = state.decode("latin-1") if len(state) <= MAX_STATE_BYTES else ""
        return sampled(ours), Stages(arrived, given[SPAN].decode(), kept)

    def answered(self, traceparent: bytes, stages: Stages, told: Told) -> None:
        offset, now = _epoch_offset(), time.perf_counter()
        trace_id, span_id = traceparent[TRACE].decode(), traceparent[SPAN].decode()
        request = Span(
            name=told.name,
            trace_id=trace_id,
            span_id=span_id,
            parent_id=stages.parent_id,
            remote=True,
            state=stages.state,
            server=True,
            started=_epoch(told.arrived, offset),
            ended=_epoch(now, offset),
            attributes={**told.attributes, **_of_model(stages)},
            failed=told.failed,
        )
        self._spans.offer([request, *self._children(request, stages, offset)])

    def did(self, name: str, started: float, attributes: dict[str, Value], *, failed: bool = False) -> None:
        """Work that nobody asked for, from `started` (`time.perf_counter`) until now: a trace of its own."""
        ours = self._parents()
        if not self._decide(ours, None):
            return
        offset = _epoch_offset()
        span = Span(
            name=name,
            trace_id=ours[TRACE].decode(),
            span_id=ours[SPAN].decode(),
            started=_epoch(started, offset),
            ended=_epoch(time.perf_counter(), offset),
            attributes=attributes,
            failed=failed,
        )
        self._spans.offer([span])

    def _children(self, request: Span, stages: Stages, offset: float) -> list[Span]:
        return [
            Span(
                name=name,
                trace_id=request.trace_id,
                span_id=self._parents()[SPAN].decode(),
                parent_id=request.span_id,
                state=request.state,
                started=_epoch(stage.started, offset),
                ended=_epoch(stage.ended, offset),
                attributes=_of_stage(stage),
            )
            for name, stage in stages.by_name.items()
        ]


def _of_model(stages: Stages) -> dict[str, Value]:
    if not stages.model:
        return {}
    return {
        "slipway.model": stages.model,
        "slipway.model_version": stages.version,
        "slipway.rows": stages.rows,
        "slipway.cached": stages.all_cached,
    }


def _of_stage(stage: Stage) -> dict[str, Value]:
    counts = {"slipway.rows": stage.rows, "slipway.call_rows": stage.shared_rows}
    return {name: count for name, count in counts.items() if count}


def _epoch_offset() -> float:
    return time.time() - time.perf_counter()


def _epoch(moment: float, offset: float) -> int:
    return int((moment + offset) * 1e9)
