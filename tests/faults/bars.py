"""What is held against a load that met a fault: its answers, its records and its latencies."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from tests.faults.kept import Kept
from tests.faults.scenario import Verdict
from tests.faults.seen import NO_ROOM, Sample, Seen, p99_ms

BACKLOG_SECONDS = 60.0
OPENING_SECONDS = 3.0  # of the load's connections; not counted as what it was like before
LEAST_SHARE = 0.5


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What p99 may be, in times of what it was before; None where it may be anything."""

    first_second: float | None = None
    during: float | None = None


@dataclass(frozen=True, kw_only=True)
class Times:
    """Moments of the monotonic clock."""

    broken: float
    mended: float


@dataclass(frozen=True, kw_only=True)
class Latencies:
    """p99 in milliseconds, from when requests were due."""

    before: float
    first_second: float
    during: float
    after: float


def latencies(seen: Seen, times: Times) -> Latencies:
    return Latencies(
        before=p99_ms(baseline(seen, times)),
        first_second=p99_ms(seen.between(times.broken, times.broken + 1)),
        during=p99_ms(seen.between(times.broken + 1, times.mended)),
        after=p99_ms(seen.between(times.mended + 1, float("inf"))),
    )


def baseline(seen: Seen, times: Times) -> list[Sample]:
    """The time before the fault, without the first seconds: worse than usual, they would make any bar softer."""
    opening = min(OPENING_SECONDS, (times.broken - seen.begin) / 2)
    return seen.between(seen.begin + opening, times.broken)


def answers(seen: Seen, times: Times, promised: Collection[str] = ()) -> list[Verdict]:
    """On a machine that is busy otherwise some are refused for want of room; a service that refuses everybody is none.

    `promised` are the refusals that the fault is answered with; then answers are wanted once it is mended.
    """
    no_room = seen.failures.get(NO_ROOM, 0)
    failures = sum(count for kind, count in seen.failures.items() if kind not in {NO_ROOM, *promised})
    when, asked = (
        ("afterwards", seen.between(times.mended + 0.1, float("inf")))
        if promised
        else ("during the fault", seen.between(times.broken, times.mended))
    )
    share = sum(sample.status == 200 for sample in asked) / len(asked) if asked else 0.0
    return [
        Verdict(
            bar=f"0 failed predictions{''.join(f', but {each}' for each in promised)}",
            seen=f"{failures} {seen.failures or ''}",
            holds=failures == 0,
        ),
        Verdict(bar="0 refused for want of room", seen=str(no_room), holds=no_room == 0, timing=True),
        Verdict(
            bar=f"at least {LEAST_SHARE:.0%} are answered {when}",
            seen=f"{share:.0%} of {len(asked)}",
            holds=share >= LEAST_SHARE,
        ),
        Verdict(bar="0 rows with two answers", seen=str(seen.contradictions), holds=seen.contradictions == 0),
    ]


def records(kept: Kept, backlog: float | None, dropped: float | None = None) -> list[Verdict]:
    """`dropped`: as many as are missing must have been counted."""
    lost = (
        Verdict(bar="0 lost records", seen=str(kept.lost), holds=kept.lost == 0)
        if dropped is None
        else Verdict(
            bar="as many records are missing as were counted",
            seen=f"{kept.lost} of {dropped:.0f}",
            holds=kept.lost == dropped > 0,
        )
    )
    return [
        lost,
        Verdict(
            bar="0 doubled or invented records",
            seen=f"{kept.doubled} + {kept.invented}",
            holds=kept.doubled == 0 and kept.invented == 0,
        ),
        Verdict(
            bar=f"backlog 0 within {BACKLOG_SECONDS:.0f} s",
            seen="not emptied" if backlog is None else f"{backlog:.1f} s",
            holds=backlog is not None,
        ),
    ]


def in_time(found: Latencies, limits: Limits) -> list[Verdict]:
    wanted = (
        ("p99 of the first second", found.first_second, limits.first_second),
        ("p99 from then on", found.during, limits.during),
    )
    return [
        Verdict(
            bar=f"{what} ≤ {limit} x before",
            seen=f"{value / found.before if found.before else 0:.2f} x",
            holds=value <= limit * found.before,
            timing=True,
        )
        for what, value, limit in wanted
        if limit is not None
    ]
