"""A soak as one page: the bars, what each process held over time, what was asked, and what happened."""

from __future__ import annotations

from collections.abc import Sequence

from tests.faults.scenario import Verdict
from tests.soak.running import Soaked
from tests.soak.samples import Moment

ROWS = 13
MEGABYTE = 1024 * 1024


def page(soaked: Soaked, verdicts: Sequence[Verdict]) -> str:
    course = soaked.course
    head = (
        f"# Soak\n\n{course.minutes:g} minutes, {course.workers} workers, {soaked.rate:.0f} requests a second in an open "
        "loop: valid, invalid, unknown callers, large, v2 and binary.\n\n| bar | seen | |\n|---|---|---|\n"
    )
    bars = [f"| {each.bar} | {each.seen} | {'holds' if each.holds else '**missed**'} |" for each in verdicts]
    outcomes = [f"| {name} | {count:,} |" for name, count in sorted(soaked.asked.outcomes.items())]
    parts = [
        head + "\n".join(bars),
        "## Over time\n\n" + _table(soaked.moments),
        "## Asked\n\n| what, and the status | times |\n|---|--:|\n" + "\n".join(outcomes),
        "p99 of single rows by minute, in ms: " + ", ".join(f"{each:.1f}" for each in soaked.asked.p99),
        "## What happened\n\n" + "\n".join(f"- {each}" for each in soaked.events),
    ]
    return "\n\n".join(parts) + "\n"


def _table(moments: Sequence[Moment]) -> str:
    names = sorted({held.name for moment in moments for held in moment.processes})
    head = (
        "| min | "
        + " | ".join(f"{name}: PSS MB, fds, threads" for name in names)
        + " | metrics KB | spool KB |\n|--:|"
        + "--:|" * (len(names) + 2)
        + "\n"
    )
    step = max(1, len(moments) // ROWS)
    return head + "\n".join(_row(moment, names) for moment in moments[::step])


def _row(moment: Moment, names: Sequence[str]) -> str:
    held = {each.name: each for each in moment.processes}
    cells = [
        f"{held[name].pss / MEGABYTE:.1f}, {held[name].descriptors}, {held[name].threads}"
        if name in held
        else "–"
        for name in names
    ]
    folders = f"{moment.metrics_bytes / 1024:.0f} | {moment.spool_bytes / 1024:.0f}"
    return f"| {moment.at / 60:.1f} | {' | '.join(cells)} | {folders} |"
