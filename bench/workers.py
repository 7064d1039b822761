"""What a second worker brings: `python -m bench.workers`, the service with one and with several workers, loaded in turn.

Both have all cores, and the load generator shares them, as callers on another machine would not: with two cores the ratio is a
lower bound, and the CPU of a request, all processes together, says whether the second costs more. The one that waits is stopped.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

from bench.against import in_turn, serve_alone
from bench.entrants import Entrant, Round
from bench.errors import BenchError
from bench.fixtures import prepare_fixture
from bench.load import ensure_wrk
from bench.results import MISSES, Sample
from bench.servers import end_servers_at_sigterm
from bench.settings import read_settings
from bench.shadow_cost import stopped

ONE, MORE = "1 worker", "workers"


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    end_servers_at_sigterm()
    ensure_wrk()
    with tempfile.TemporaryDirectory(prefix="slipway-workers-") as scratch, contextlib.ExitStack() as stack:
        settings = replace(read_settings(), work=Path(scratch))
        fixture = prepare_fixture(settings, options.model)
        sides = {
            ONE: serve_alone(settings, fixture, stack),
            MORE: serve_alone(settings, fixture, stack, more={"WORKERS": str(options.workers)}),
        }
        for entrant in sides.values():
            _unpin(entrant)
        found = _measured(sides, options)
    ratio = _median(found[MORE], "requests_per_second") / _median(found[ONE], "requests_per_second")
    print(
        f"{options.workers} workers answer {ratio:.2f} times what one does, on {os.cpu_count()} cores with their load"
    )
    return 0


def _unpin(entrant: Entrant) -> None:
    for pid in entrant.server.tree():
        for task in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setaffinity(int(task.name), range(os.cpu_count() or 1))


def _measured(sides: dict[str, Entrant], options: argparse.Namespace) -> dict[str, list[Sample]]:
    found: dict[str, list[Sample]] = {ONE: [], MORE: []}
    core = read_settings().load_core
    for number in range(1, options.rounds + 1):
        what = Round(
            kind=MISSES,
            connections=options.connections,
            number=number,
            seconds=options.seconds,
            core=core,
            pause_ms=0,
        )
        for name in in_turn(ONE, MORE, number=number):
            with stopped(sides[MORE if name == ONE else ONE]):
                sample = sides[name].run(what)
            if sample.status_errors or sample.socket_errors:
                raise BenchError(f"{name}: requests failed")
            found[name].append(sample)
            print(
                f"  {number}/{options.rounds} {name:<9} {sample.requests_per_second:8.0f}/s p99 {sample.p99_ms:6.2f} ms "
                f"{sample.tree_cpu_us:6.1f} µs of CPU, agent included",
                flush=True,
            )
    return found


def _median(samples: Sequence[Sample], field: str) -> float:
    return median(float(getattr(sample, field)) for sample in samples)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.workers", description=__doc__)
    parser.add_argument("--model", default="model-a", help="model-a or food-delivery (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5, help="of each service")
    parser.add_argument("--seconds", type=float, default=5, help="length of a round")
    parser.add_argument("--connections", type=int, default=64)
    return parser


if __name__ == "__main__":
    sys.exit(main())
