"""What an overload does: `python -m bench.overload [--seconds 60]`, arrivals at 1, 2, 5 and 10 times what the service can answer.

The peak is what the same service answers without a limit to callers who wait for their answers; it is measured before and after
each step, as is what a quarter of it waits. Arrivals are open-loop, from one
other process on another core; they are of a model that takes `--milliseconds` a row, because HTTP itself takes so much of a cheap
model's request that a core cannot even read five times what it can answer (`--light` shows that with model A).
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence

from bench.against import serve_alone
from bench.bars import overload_bars
from bench.entrants import Entrant
from bench.errors import BenchError
from bench.fixtures import Fixture, prepare_fixture
from bench.heavy_model import prepare_heavy
from bench.load import ensure_wrk, run_wrk
from bench.open_loop import Exchanged, Stream, open_load
from bench.overload_results import Compared, Overloaded, Step, step_of
from bench.refusal_cost import PLACES, refusal_cpu_ms
from bench.report import number, verdict
from bench.settings import Settings, read_settings

UNLOADED, AFTERWARDS = 0.25, 0.25
TIMES = (1.0, 2.0, 5.0, 10.0)
PEAK_CONNECTIONS = 16
QUIET = {"LOG_LEVEL": "WARNING"}
NO_PLACE = QUIET | {
    "CONCURRENCY_ADAPTIVE": "false",
    "MAX_IN_FLIGHT": str(PLACES),
    "REQUEST_TIMEOUT_SECONDS": "60",
}
UNLIMITED = QUIET | {"CONCURRENCY_ADAPTIVE": "false"}


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    settings = read_settings()
    ensure_wrk()
    fixture = (
        prepare_fixture(settings, "model-a")
        if options.light
        else prepare_heavy(settings, milliseconds=options.milliseconds)
    )
    os.sched_setaffinity(0, {settings.load_core})
    found = measure(settings, fixture, seconds=options.seconds)
    print("\n".join(table(found)))
    bars = overload_bars(found)
    for bar in bars:
        value = "-" if bar.value is None else number(bar.value)
        print(f"{bar.name}: {value} (limit {bar.limit:g} {bar.unit}): {verdict(bar)}")
    return 1 if options.strict and any(bar.passed is False for bar in bars) else 0


def measure(settings: Settings, fixture: Fixture, *, seconds: float) -> Overloaded:
    with contextlib.ExitStack() as stack:
        unlimited = serve_alone(settings, fixture, stack, more=UNLIMITED)
        runs = _Runs(serve_alone(settings, fixture, stack, more=QUIET), unlimited, settings.load_core)
        steps = [runs.compared(times, seconds) for times in TIMES]
        afterwards = runs.step(AFTERWARDS, seconds)
    with contextlib.ExitStack() as stack:
        alone = serve_alone(settings, fixture, stack, more=NO_PLACE)
        refusal = refusal_cpu_ms(alone, core=settings.load_core)
    return Overloaded(steps=steps, afterwards=afterwards, refusal_ms=refusal)


def table(found: Overloaded) -> list[str]:
    lines = [
        "| times the peak | peak | sent | answered/s | refused | failed | p50 ms | p99 ms | p99 of refusals, ms |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for each in found.steps:
        lines += [_row(each.unloaded, "-"), _row(each.step, number(each.peak))]
    return [*lines, _row(found.afterwards, "-")]


def _row(step: Step, peak: str) -> str:
    latencies = (step.p50_ms, step.p99_ms, step.refused_p99_ms)
    cells = " | ".join("-" if value is None else number(value) for value in latencies)
    counts = f"{step.sent} | {step.goodput:.0f} | {step.refused} | {step.failed}"
    return f"| {step.times:g} | {peak} | {counts} | {cells} |"


class _Runs:
    """Steps of one service, each with bodies of its own, and what the same service answers without a limit."""

    def __init__(self, limited: Entrant, unlimited: Entrant, core: int) -> None:
        self._limited, self._unlimited, self._core, self._first = limited, unlimited, core, 10_000_000
        self._peak = 0.0

    def compared(self, times: float, seconds: float) -> Compared:
        before = self._peak = self._measured_peak(seconds)
        unloaded = self.step(UNLOADED, seconds / 3)
        step = self.step(times, seconds)
        after = self._measured_peak(seconds)
        return Compared(step=step, peak=(before + after) / 2, unloaded=unloaded)

    def step(self, times: float, seconds: float) -> Step:
        stream = Stream(target=self._limited.start.misses, rate=times * self._peak, first=self._first)
        found: list[Exchanged] = open_load([stream], seconds=seconds, core=self._core)[0]
        self._first += len(found) + 1000
        step = step_of(found, times=times, seconds=seconds)
        print(f"  {times:g} times: {step.goodput:.0f}/s answered, {step.refused} refused", flush=True)
        return step

    def _measured_peak(self, seconds: float) -> float:
        found = run_wrk(
            self._unlimited.start.misses,
            connections=PEAK_CONNECTIONS,
            seconds=max(2.0, seconds / 6),
            first=self._first,
            core=self._core,
        )
        if found.status_errors:
            raise BenchError("requests failed without a limit")
        self._first += 1_000_000
        print(f"  peak: {found.requests_per_second:.0f}/s", flush=True)
        return found.requests_per_second


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
