"""What an overload does: `python -m bench.overload [--seconds 60]`, arrivals at 1, 2, 5 and 10 times what the service can answer.

The peak is what the same service answers without a limit to callers who wait for their answers; it is measured before and after
each step, as is what a quarter of it waits. Arrivals are open-loop, from one other process on another core; they are of a model
that takes `--milliseconds` a row, because HTTP itself takes so much of a cheap model's request that a core cannot even read five
times what it can answer (`--light` shows that with model A). Then callers with quotas: one within his, beside one far beyond.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from statistics import median

from bench.against import serve_alone
from bench.bars import overload_bars
from bench.fixtures import Fixture, prepare_fixture
from bench.heavy_model import prepare_heavy
from bench.load import ensure_wrk
from bench.overload_results import Overloaded, Step
from bench.overload_runs import Runs, beside_a_greedy_one, rationing
from bench.refusal_cost import refusal_cpu_ms
from bench.report import number, told
from bench.servers import end_servers_at_sigterm
from bench.settings import Settings, read_settings

TIMES = (1.0, 2.0, 5.0, 10.0)
# Of the peak: what a greedy caller gets leaves room for his neighbours.
QUOTA = 0.2
QUIET = {"LOG_LEVEL": "WARNING"}
UNLIMITED = QUIET | {"CONCURRENCY_ADAPTIVE": "false"}


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    settings = read_settings()
    end_servers_at_sigterm()
    ensure_wrk()
    fixture = (
        prepare_fixture(settings, "model-a")
        if options.light
        else prepare_heavy(settings, milliseconds=options.milliseconds)
    )
    os.sched_setaffinity(0, {settings.load_core})
    found = measure(settings, fixture, seconds=options.seconds)
    print("\n".join(table(found)))
    return told(overload_bars(found), strict=options.strict)


def measure(settings: Settings, fixture: Fixture, *, seconds: float) -> Overloaded:
    core = settings.load_core
    with contextlib.ExitStack() as stack:
        unlimited = serve_alone(settings, fixture, stack, more=UNLIMITED)
        limited = serve_alone(settings, fixture, stack, more=QUIET)
        runs = Runs(limited, unlimited, core)
        steps = [runs.compared(times, seconds) for times in TIMES]
        afterwards = runs.afterwards(max(TIMES), seconds)
        refusal = refusal_cpu_ms(limited, core=core)
    quota = QUOTA * median(each.peak for each in steps)
    with contextlib.ExitStack() as stack:
        rationed = serve_alone(settings, fixture, stack, more=QUIET | rationing(quota))
        neighbours = beside_a_greedy_one(rationed, quota=quota, seconds=seconds / 2, core=core)
    return Overloaded(steps=steps, afterwards=afterwards, refusal_ms=refusal, neighbours=neighbours)


def table(found: Overloaded) -> list[str]:
    lines = [
        "| times | peak | sent | answered/s | refused | failed | p50 ms | p99 ms | refusals' p99 ms | slowest probe ms |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for each in found.steps:
        lines += [_row(each.unloaded), _row(each.step, number(each.peak), number(each.slowest_probe_ms))]
    lines += [
        _row(found.afterwards),
        "",
        "Half of a caller's quota, alone, and beside one who asks for 20 times his:",
        "",
    ]
    neighbours = found.neighbours.alone, found.neighbours.beside
    return lines + [
        f"- {each.sent} sent, {each.sent - each.answered} not answered, p99 {_ms(each.p99_ms)} ms"
        for each in neighbours
    ]


def _row(step: Step, peak: str = "-", probe: str = "-") -> str:
    cells = " | ".join(_ms(value) for value in (step.p50_ms, step.p99_ms, step.refused_p99_ms))
    counts = f"{step.sent} | {step.goodput:.0f} | {step.refused} | {step.failed}"
    return f"| {step.times:g} | {peak} | {counts} | {cells} | {probe} |"


def _ms(value: float | None) -> str:
    return "-" if value is None else number(value)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.overload", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="length of each step")
    parser.add_argument(
        "--milliseconds", type=float, default=10, help="CPU of one row (default: %(default)s)"
    )
    parser.add_argument("--light", action="store_true", help="model A as it is")
    parser.add_argument("--strict", action="store_true", help="exit 1 when a bar is missed")
    return parser


if __name__ == "__main__":
    sys.exit(main())
