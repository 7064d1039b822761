"""A soak's bars, held against what was sampled and what clients saw."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tests.faults.scenario import Verdict
from tests.soak.generator import Asked
from tests.soak.samples import Held, Moment
from tests.soak.slope import slope

MEGABYTE = 1024 * 1024
MOST_PER_HOUR = 1.0
LONG_MINUTES = 30.0  # from here on a slope says something; before, only what was gained does
MOST_GAINED = 8.0
MOST_THREADS = 12
MORE_DESCRIPTORS = 3
LATER_P99 = 1.1
MOST_REFUSED = 0.001


def judge(moments: Sequence[Moment], asked: Asked, *, minutes: float) -> list[Verdict]:
    """What came before the warm-up's end does not count."""
    warm = warm_up_seconds(minutes)
    counted = [moment for moment in moments if moment.at >= warm]
    names = sorted({held.name for moment in counted for held in moment.processes if held.name != "agent"})
    workers = [name for name in names if name.startswith("worker")]
    return [
        *(_memory(counted, name, minutes) for name in workers),
        *(_flat(counted, name) for name in names),
        *(_threads(counted, name) for name in workers),
        _same_processes(moments, names),
        _folder(counted),
        *_answers(asked),
        *_latency(asked, minutes),
    ]


def warm_up_seconds(minutes: float) -> float:
    """Ten minutes of an hour."""
    return min(600.0, minutes * 60 / 3)


def _of(
    moments: Sequence[Moment], name: str, figure: Callable[[Held], float]
) -> tuple[np.ndarray, np.ndarray]:
    found = [
        (moment.at, figure(held)) for moment in moments for held in moment.processes if held.name == name
    ]
    return np.array([at for at, _ in found]), np.array([value for _, value in found])


def _memory(moments: Sequence[Moment], name: str, minutes: float) -> Verdict:
    times, values = _of(moments, name, lambda held: held.pss / MEGABYTE)
    if minutes < LONG_MINUTES:
        gained = _late(values) - _early(values)
        return Verdict(
            bar=f"memory of {name} gains at most {MOST_GAINED:.0f} MB after the warm-up",
            seen=f"{gained:+.1f} MB of {_late(values):.0f}",
            holds=gained <= MOST_GAINED,
        )
    found = slope(times / 3600, values)
    return Verdict(
        bar=f"memory of {name} grows by less than {MOST_PER_HOUR:.0f} MB/h (95 % upper bound)",
        seen=f"{found.value:+.2f}, at most {found.upper:+.2f} MB/h, of {_late(values):.0f} MB",
        holds=found.upper < MOST_PER_HOUR,
    )


def _flat(moments: Sequence[Moment], name: str) -> Verdict:
    _, values = _of(moments, name, lambda held: held.descriptors)
    return Verdict(
        bar=f"descriptors of {name} are flat",
        seen=f"{_early(values):.0f} → {_late(values):.0f}",
        holds=_late(values) - _early(values) <= MORE_DESCRIPTORS,
    )


def _threads(moments: Sequence[Moment], name: str) -> Verdict:
    _, values = _of(moments, name, lambda held: held.threads)
    return Verdict(
        bar=f"{name} has at most {MOST_THREADS} threads",
        seen=f"{values.max():.0f}",
        holds=bool(values.max() <= MOST_THREADS),
    )


def _same_processes(moments: Sequence[Moment], names: Sequence[str]) -> Verdict:
    """A worker that died and was replaced has a flat line too."""
    pids = {(held.name, held.pid) for moment in moments for held in moment.processes if held.name in names}
    return Verdict(
        bar="no process was replaced", seen=f"{len(pids)} processes", holds=len(pids) == len(names)
    )


def _folder(moments: Sequence[Moment]) -> Verdict:
    early, late = (_part(np.array([moment.metrics_bytes for moment in moments]), end) for end in (0, -1))
    files = moments[-1].metrics_files
    return Verdict(
        bar="the metrics folder is flat",
        seen=f"{early / 1024:.0f} → {late / 1024:.0f} KB in {files} files",
        holds=late <= early * 1.02,
    )


def _answers(asked: Asked) -> list[Verdict]:
    """A 503 is what a machine with other things to do says; anything else would be a mistake."""
    total = sum(asked.outcomes.values())
    refused = sum(count for outcome, count in asked.wrong.items() if outcome.endswith(" 503"))
    wrong = {outcome: count for outcome, count in asked.wrong.items() if not outcome.endswith(" 503")}
    wrong |= {"never answered": asked.never_answered} if asked.never_answered else {}
    return [
        Verdict(bar="every status is the right one", seen=f"{wrong or 'all'} of {total:,}", holds=not wrong),
        Verdict(
            bar=f"at most {MOST_REFUSED:.1%} refused for want of capacity",
            seen=f"{refused} of {total:,}",
            holds=refused <= MOST_REFUSED * total,
            timing=True,
        ),
    ]


def _latency(asked: Asked, minutes: float) -> list[Verdict]:
    if minutes < LONG_MINUTES:
        return []
    first, last = (float(np.median(part)) for part in (asked.p99[10:20], asked.p99[-11:-1]))
    return [
        Verdict(
            bar=f"p99 of the last ten minutes ≤ {LATER_P99} x that of the first ten after the warm-up",
            seen=f"{first:.1f} → {last:.1f} ms",
            holds=last <= LATER_P99 * first,
            timing=True,
        )
    ]


def _early(values: np.ndarray) -> float:
    return _part(values, 0)


def _late(values: np.ndarray) -> float:
    return _part(values, -1)


def _part(values: np.ndarray, which: int) -> float:
    """The median of the first or the last third."""
    return float(np.median(np.array_split(values, 3)[which]))
