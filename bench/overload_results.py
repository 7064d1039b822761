"""What `bench.overload` found: one step for each multiple of the capacity."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bench.open_loop import Exchanged

ANSWERED, REFUSED = 200, 503
FEW = 0.01


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Latencies in milliseconds, from when each request was due; None where there was none. `recovered` is the second from
    which on at most one in a hundred was refused.
    """

    times: float
    sent: int
    answered: int
    goodput: float
    refused: int
    failed: int
    p50_ms: float | None
    p99_ms: float | None
    refused_p99_ms: float | None
    recovered: float


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """A step and its neighbours, because a machine differs from one minute to the next: `peak` is the mean of the answers a
    second right before and right after, `unloaded` a step right before; a probe is infinitely slow if it failed.
    """

    step: Step
    peak: float
    unloaded: Step
    slowest_probe_ms: float

    @property
    def goodput(self) -> float:
        """As a share of the peak."""
        return self.step.goodput / self.peak

    @property
    def slower(self) -> float | None:
        """How many times the p99 of answers is that without load."""
        return _slower(self.step, self.unloaded)


class Neighbours(msgspec.Struct, frozen=True, kw_only=True):
    """A caller within his quota, alone and beside one far beyond his own."""

    alone: Step
    beside: Step

    @property
    def slower(self) -> float | None:
        return _slower(self.beside, self.alone)


class Overloaded(msgspec.Struct, frozen=True, kw_only=True):
    """`refusal_ms` is the CPU of a refusal; `afterwards` begins as the overload ends."""

    steps: Sequence[Compared]
    afterwards: Step
    refusal_ms: float | None
    neighbours: Neighbours

    def at(self, times: float) -> Compared | None:
        return next((each for each in self.steps if each.step.times == times), None)


def step_of(found: Sequence[Exchanged], *, times: float, seconds: float) -> Step:
    answered = sorted(each.seconds for each in found if each.status == ANSWERED)
    refused = sorted(each.seconds for each in found if each.status == REFUSED)
    return Step(
        times=times,
        sent=len(found),
        answered=len(answered),
        goodput=len(answered) / seconds,
        refused=len(refused),
        failed=len(found) - len(answered) - len(refused),
        p50_ms=_quantile_ms(answered, 0.5),
        p99_ms=_quantile_ms(answered, 0.99),
        refused_p99_ms=_quantile_ms(refused, 0.99),
        recovered=_recovered(found, seconds),
    )


def _slower(one: Step, other: Step) -> float | None:
    return one.p99_ms / other.p99_ms if one.p99_ms and other.p99_ms else None


def _recovered(found: Sequence[Exchanged], seconds: float) -> float:
    since, refused = seconds, 0
    for count, each in enumerate(sorted(found, key=lambda each: each.due, reverse=True), 1):
        refused += each.status != ANSWERED
        if refused <= FEW * count:
            since = each.due
    return since


def _quantile_ms(ordered: Sequence[float], share: float) -> float | None:
    return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None
