"""The shape of most scenarios: load, a dependency breaks, it is mended, and everything acknowledged is in SQL once."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.faults.bars import BACKLOG_SECONDS, Limits, Times, answers, in_time, latencies, records
from tests.faults.kept import Kept, compare, seconds_to_empty
from tests.faults.load import OpenLoad
from tests.faults.scenario import Finding, Pace, Verdict
from tests.faults.seen import Seen
from tests.faults.stand import Stand
from tests.faults.watching import Sign, Watch

_numbers = itertools.count()

Act = Callable[[Stand], None]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something that breaks and is mended. `again` happens once a second meanwhile. Each of `signs` and `lines` must tell.

    `breaker` is a gauge that must be up during the fault and down again `closes_within` seconds after it. `promised` are the
    refusals that callers get meanwhile, as `Seen.failures` calls them; `dropped` counts the records that may be missing.
    Records of refusals with a code of `either_way` may be there.
    """

    breaks: Act
    mends: Act
    again: Act | None = None
    limits: Limits = field(default_factory=Limits)
    signs: Sequence[Sign] = ()
    lines: Sequence[str] = ()
    breaker: Sign | None = None
    closes_within: float = 5.0
    promised: Sequence[str] = ()
    dropped: Sign | None = None
    either_way: Sequence[str] = ()
    token: Callable[[Stand], str] | None = None  # where the load's own one would not do
    tells_late: bool = False  # only after what the short form waits for


def endure(name: str, stand: Stand, pace: Pace, fault: Fault) -> Finding:
    """Runs it on the stand."""
    prefix = f"{name}-{next(_numbers)}-"
    signs = [*fault.signs, *(each for each in (fault.breaker, fault.dropped) if each is not None)]
    with Watch(stand.service, signs) as watch:
        token = fault.token(stand) if fault.token else stand.service.token()
        load = OpenLoad(stand.service, rate=pace.rate, seconds=pace.total, prefix=prefix, token=token)
        try:
            times = _break_and_mend(stand, pace, fault)
            seen = load.seen()
            backlog = seconds_to_empty(stand.service, patience=BACKLOG_SECONDS)
            _wait_for_the_breaker(watch, fault, times)
        finally:
            load.stop()
    kept = compare(stand.database_url, seen, prefix, either_way=fault.either_way)
    verdicts = [
        *answers(seen, times, fault.promised),
        *records(kept, backlog, watch.grown(fault.dropped) if fault.dropped else None),
        *in_time(latencies(seen, times), fault.limits),
        *_told(watch, fault, times),
    ]
    return _finding(name, pace, seen, times, kept, watch, fault, verdicts)


def _break_and_mend(stand: Stand, pace: Pace, fault: Fault) -> Times:
    time.sleep(pace.before)
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
    return Times(broken=broken, mended=mended)


def _wait_for_the_breaker(watch: Watch, fault: Fault, times: Times) -> None:
    while fault.breaker is not None and watch.first_at(fault.breaker, 0, times.mended) is None:
        if time.monotonic() > times.mended + 4 * fault.closes_within:
            return
        time.sleep(0.1)


def _told(watch: Watch, fault: Fault, times: Times) -> list[Verdict]:
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


def _breaker(watch: Watch, fault: Fault, times: Times) -> list[Verdict]:
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
    times: Times,
    kept: Kept,
    watch: Watch,
    fault: Fault,
    verdicts: Sequence[Verdict],
) -> Finding:
    metrics = {}
    for sign in watch.signs:
        first, most = watch.highest(sign)
        metrics[sign.text] = f"{first:g} → {most:g}"
    p99 = latencies(seen, times)
    return Finding(
        scenario=name,
        requests=len(seen.samples) + seen.never_answered,
        rate=pace.rate,
        failures=seen.failures,
        p99_before_ms=p99.before,
        p99_first_second_ms=p99.first_second,
        p99_during_ms=p99.during,
        p99_after_ms=p99.after,
        acknowledged=len(seen.acknowledged),
        lost=kept.lost,
        doubled=kept.doubled,
        metrics=metrics,
        log_lines=tuple(watch.lines(fault.lines)),
        verdicts=tuple(verdicts),
    )
