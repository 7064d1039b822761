"""What the shadow costs production: `python -m bench.shadow_cost`, one service with every row tried on a challenger, one without.

Both are loaded in turn on the same core, agent included, below their limit (`--pause 0` is at it). The one that waits is
stopped, because its shadow would go on with what it was given. What counts is the median of the rounds' ratios: of latency at
the 99th percentile, and of the CPU of the process that answers.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import comb
from pathlib import Path
from statistics import median

import msgspec

from bench.against import in_turn, serve_alone
from bench.bars import shadow_bar
from bench.entrants import Entrant, Round
from bench.errors import BenchError
from bench.fixtures import Fixture, prepare_fixture
from bench.load import ensure_wrk
from bench.report import told
from bench.results import MISSES, Sample
from bench.servers import end_servers_at_sigterm
from bench.settings import read_settings
from modelkit.definition import load_catalog
from modelkit.servable import MODEL, load_servable, write_servable

OFF, ON = "off", "on"
MISSED = 0.05
FIGURES = {
    "p99, ms": "p99_ms",
    "p50, ms": "p50_ms",
    "CPU of the answering process, µs a request": "request_cpu_us",
    "requests a second": "requests_per_second",
    "seconds until the log was shipped": "drain_seconds",
}


@dataclass(frozen=True, kw_only=True)
class Plan:
    rounds: int
    seconds: float
    connections: int
    core: int
    pause_ms: int


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    end_servers_at_sigterm()
    ensure_wrk()
    with tempfile.TemporaryDirectory(prefix="slipway-shadow-") as scratch, contextlib.ExitStack() as stack:
        settings = replace(read_settings(), work=Path(scratch))
        fixture = prepare_fixture(settings, options.model)
        more = {
            "SHADOW_SAMPLES": f"{fixture.model}=100",
            "CHALLENGER_PATH": str(write_challenger(fixture, Path(scratch) / "challengers")),
        }
        os.sched_setaffinity(0, {settings.load_core})
        sides = {
            OFF: serve_alone(settings, fixture, stack),
            ON: serve_alone(settings, fixture, stack, more=more),
        }
        plan = Plan(
            rounds=options.rounds,
            seconds=options.seconds,
            connections=options.connections,
            core=settings.load_core,
            pause_ms=options.pause,
        )
        found = _measured(sides, plan)
        tried = _tried(sides[ON])
    print("\n".join(table(found)))
    lowest, highest = interval(_ratios(found, "p99_ms"))
    print(
        f"of p99 between {lowest:.3f} and {highest:.3f} (95 of 100); {tried:,} rows were tried on the challenger"
    )
    return told([shadow_bar(median(_ratios(found, "p99_ms")))], strict=options.strict)


def _tried(entrant: Entrant) -> int:
    """Rows that the challenger has answered. Raises BenchError for none: then nothing was measured."""
    if entrant.log is None or not (tried := entrant.log.shadowed()):
        raise BenchError("no row was tried on the challenger")
    return tried


def _ratios(found: dict[str, list[Sample]], field: str) -> list[float]:
    pairs = zip(found[OFF], found[ON], strict=True)
    return [float(getattr(on, field)) / float(getattr(off, field)) for off, on in pairs]


def interval(ratios: Sequence[float]) -> tuple[float, float]:
    """Of the median, with at least 95 of 100 (the sign test's order statistics); all of the ratios where there are few."""
    ordered, size = sorted(ratios), len(ratios)
    left = 0
    while 2 * sum(comb(size, rank) for rank in range(left + 2)) / 2**size <= MISSED and left + 1 < size // 2:
        left += 1
    return ordered[left], ordered[size - 1 - left]


def write_challenger(fixture: Fixture, folder: Path) -> Path:
    """The same model under another name: what a second version costs, and no other difference."""
    definition = load_catalog(fixture.catalog)[fixture.model]
    source = fixture.servables / fixture.model
    servable = load_servable(source, definition)
    write_servable(
        folder / fixture.model,
        graph=(source / MODEL).read_bytes(),
        contract=servable.contract,
        reference=servable.reference,
        card=msgspec.structs.replace(servable.card, git_sha="challenger"),
    )
    return folder


def _measured(sides: dict[str, Entrant], plan: Plan) -> dict[str, list[Sample]]:
    found: dict[str, list[Sample]] = {OFF: [], ON: []}
    for number in range(1, plan.rounds + 1):
        what = Round(
            kind=MISSES,
            connections=plan.connections,
            number=number,
            seconds=plan.seconds,
            core=plan.core,
            pause_ms=plan.pause_ms,
        )
        for name in in_turn(OFF, ON, number=number):
            with stopped(sides[ON if name == OFF else OFF]):
                sample = sides[name].run(what)
            if sample.status_errors or sample.socket_errors:
                raise BenchError(f"{name}: requests failed")
            found[name].append(sample)
            print(
                f"  {number}/{plan.rounds} {name:<3} p99 {sample.p99_ms:6.2f} ms {sample.request_cpu_us:6.1f} µs",
                flush=True,
            )
    return found


@contextlib.contextmanager
def stopped(entrant: Entrant) -> Iterator[None]:
    """Its whole tree, while the other one is measured."""
    pids = list(entrant.server.tree())
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def table(found: dict[str, list[Sample]]) -> list[str]:
    rows = ["| | off, median | on, median | median of ratios |", "|---|---:|---:|---:|"]
    for name, field in FIGURES.items():
        off, on = ([float(getattr(sample, field)) for sample in found[side]] for side in (OFF, ON))
        ratio = median(_ratios(found, field))
        rows.append(f"| {name} | {median(off):.4g} | {median(on):.4g} | {ratio:.3f} |")
    return rows


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.shadow_cost", description=__doc__)
    parser.add_argument("--model", default="model-a", help="model-a or food-delivery (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=8, help="of each service")
    parser.add_argument("--seconds", type=float, default=5, help="length of a round")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument(
        "--pause", type=int, default=25, metavar="MS", help="of each connection; 0: saturated"
    )
    parser.add_argument("--strict", action="store_true", help="exit 1 when the bar is missed")
    return parser


if __name__ == "__main__":
    sys.exit(main())
