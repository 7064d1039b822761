"""What `bench.overload` found: one step for each multiple of the capacity."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bench.open_loop import Exchanged

ANSWERED, REFUSED = 200, 503


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Latencies in milliseconds, from when each request was due; None where there was none. `recovered` is the last second in
    which anybody was refused.
    """

    times: float
    sent: int
    goodput: float
    refused: int
    failed: int
    p50_ms: float | None
    p99_ms: float | None
    refused_p99_ms: float | None
    recovered: float


class Overloaded(msgspec.Struct, frozen=True, kw_only=True):
    """`peak` is in answers a second; `refusal_ms` the CPU of a refusal."""

    peak: float
    unloaded: Step
    steps: Sequence[Step]
    afterwards: Step
    refusal_ms: float | None

    def at(self, times: float) -> Step | None:
        return next((step for step in self.steps if step.times == times), None)


def step_of(found: Sequence[Exchanged], *, times: float, seconds: float) -> Step:
    answered = sorted(each.seconds for each in found if each.status == ANSWERED)
    refused = sorted(each.seconds for each in found if each.status == REFUSED)
    return Step(
        times=times,
        sent=len(found),
        goodput=len(answered) / seconds,
        refused=len(refused),
        failed=len(found) - len(answered) - len(refused),
        p50_ms=_quantile_ms(answered, 0.5),
        p99_ms=_quantile_ms(answered, 0.99),
        refused_p99_ms=_quantile_ms(refused, 0.99),
        recovered=max((each.due for each in found if each.status != ANSWERED), default=0.0),
    )


def _quantile_ms(ordered: Sequence[float], share: float) -> float | None:
    return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None
