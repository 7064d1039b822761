"""The shape of most scenarios: load, a dependency breaks, it is mended, and everything acknowledged is in SQL once."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.faults.kept import Kept, compare, seconds_to_empty
from tests.faults.load import OpenLoad
from tests.faults.scenario import Finding, Pace, Verdict
from tests.faults.seen import Seen, p99_ms
from tests.faults.stand import Stand
from tests.faults.watching import Sign, Watch

BACKLOG_SECONDS = 60.0
_numbers = itertools.count()

Act = Callable[[Stand], None]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What p99 may be, in times of what it was before; None where it may be anything."""

    first_second: float | None = None
    during: float | None = None


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something that breaks and is mended. `again` happens once a second meanwhile. Each of `signs` and `lines` must tell.

    `breaker` is a gauge that must be up during the fault and down again `closes_within` seconds after it.
    """

    breaks: Act
    mends: Act
    again: Act | None = None
    limits: Limits = field(default_factory=Limits)
    signs: Sequence[Sign] = ()
    lines: Sequence[str] = ()
    breaker: Sign | None = None
    closes_within: float = 5.0
    tells_late: bool = False  # only after what the short form waits for


@dataclass(frozen=True, kw_only=True)
class _Times:
    begin: float
    broken: float
    mended: float
    end: float


def endure(name: str, stand: Stand, pace: Pace, fault: Fault) -> Finding:
    """Runs it on the stand."""
    prefix = f"{name}-{next(_numbers)}-"
    signs = [*fault.signs, *([fault.breaker] if fault.breaker else [])]
    with Watch(stand.service, signs) as watch:
        load = OpenLoad(stand.service, rate=pace.rate, seconds=pace.total, prefix=prefix)
        try:
            times = _break_and_mend(stand, pace, fault)
            seen = load.seen()
            backlog = seconds_to_empty(stand.service, patience=BACKLOG_SECONDS)
            _wait_for_the_breaker(watch, fault, times)
        finally:
            load.stop()
    kept = compare(stand.database_url, seen, prefix)
    verdicts = [*_records(seen, kept, backlog), *_latencies(seen, times, fault), *_told(watch, fault, times)]
    return _finding(name, pace, seen, times, kept, watch, fault, verdicts)


def _break_and_mend(stand: Stand, pace: Pace, fault: Fault) -> _Times:
    begin = time.monotonic()
    # The load's process needs a moment to begin; what it asks before `broken` is the baseline, however long that is.
    time.sleep(pace.before + 0.5)
    broken = time.monotonic()
    try:
        fault.breaks(stand)
        while (left := broken + pace.fault - time.monotonic()) > 0:
            time.sleep(min(1.0, left))
            if fault.again is not None:
                fault.again(stand)
    finally:
        mended = time.monotonic()
        fault.mends(stand)
    return _Times(begin=begin, broken=broken, mended=mended, end=mended + pace.after)


def _wait_for_the_breaker(watch: Watch, fault: Fault, times: _Times) -> None:
    while fault.breaker is not None and watch.first_at(fault.breaker, 0, times.mended) is None:
        if time.monotonic() > times.mended + 4 * fault.closes_within:
            return
        time.sleep(0.1)


def _records(seen: Seen, kept: Kept, backlog: float | None) -> list[Verdict]:
    refused = seen.failures.get("503", 0)
    failures = sum(seen.failures.values()) - refused
    return [
        Verdict(bar="0 failed predictions", seen=f"{failures} {seen.failures or ''}", holds=failures == 0),
        # For want of room: on a machine that is busy otherwise there is none.
        Verdict(bar="0 refused predictions", seen=str(refused), holds=refused == 0, timing=True),
        Verdict(bar="0 rows with two answers", seen=str(seen.contradictions), holds=seen.contradictions == 0),
        Verdict(bar="0 lost records", seen=str(kept.lost), holds=kept.lost == 0),
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


def _latencies(seen: Seen, times: _Times, fault: Fault) -> list[Verdict]:
    before = p99_ms(seen.between(0, times.broken))
    first = p99_ms(seen.between(times.broken, times.broken + 1))
    during = p99_ms(seen.between(times.broken + 1, times.mended))
    limits = (
        ("p99 of the first second", first, fault.limits.first_second),
        ("p99 from then on", during, fault.limits.during),
    )
    return [
        Verdict(
            bar=f"{what} ≤ {limit} x before",
            seen=f"{value / before if before else 0:.2f} x",
            holds=value <= limit * before,
            timing=True,
        )
        for what, value, limit in limits
        if limit is not None
    ]


def _told(watch: Watch, fault: Fault, times: _Times) -> list[Verdict]:
    silent = [sign.text for sign in fault.signs if watch.highest(sign)[1] <= watch.highest(sign)[0]]
    missing = [line for line in fault.lines if not watch.lines([line])]
    verdicts = [
        Verdict(
            bar="metrics tell",
            seen=f"silent: {silent}" if silent else "all",
            holds=not silent,
            timing=fault.tells_late,
        ),
        Verdict(
            bar="the log tells",
            seen=f"missing: {missing}" if missing else "all",
            holds=not missing,
            timing=fault.tells_late,
        ),
    ]
    return [*verdicts, *_breaker(watch, fault, times)]


def _breaker(watch: Watch, fault: Fault, times: _Times) -> list[Verdict]:
    if fault.breaker is None:
        return []
    opened = watch.first_at(fault.breaker, 1, times.broken)
    closed = watch.first_at(fault.breaker, 0, times.mended)
    return [
        Verdict(
            bar="the breaker opens",
            seen="never" if opened is None else f"after {opened:.1f} s",
            holds=opened is not None,
        ),
        Verdict(
            bar="and closes again",
            seen="never" if closed is None else f"after {closed:.1f} s",
            holds=closed is not None,
        ),
        Verdict(
            bar=f"within {fault.closes_within:.0f} s",
            seen="never" if closed is None else f"after {closed:.1f} s",
            holds=closed is not None and closed <= fault.closes_within,
            timing=True,
        ),
    ]


def _finding(
    name: str,
    pace: Pace,
    seen: Seen,
    times: _Times,
    kept: Kept,
    watch: Watch,
    fault: Fault,
    verdicts: Sequence[Verdict],
) -> Finding:
    metrics = {}
    for sign in watch.signs:
        first, most = watch.highest(sign)
        metrics[sign.text] = f"{first:g} → {most:g}"
    return Finding(
        scenario=name,
        requests=len(seen.samples) + seen.never_answered,
        rate=pace.rate,
        failures=seen.failures,
        p99_before_ms=p99_ms(seen.between(0, times.broken)),
        p99_first_second_ms=p99_ms(seen.between(times.broken, times.broken + 1)),
        p99_during_ms=p99_ms(seen.between(times.broken + 1, times.mended)),
        p99_after_ms=p99_ms(seen.between(times.mended + 1, times.end + 60)),
        acknowledged=len(seen.acknowledged),
        lost=kept.lost,
        doubled=kept.doubled,
        metrics=metrics,
        log_lines=tuple(watch.lines(fault.lines)),
        verdicts=tuple(verdicts),
    )
