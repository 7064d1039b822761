"""What callers with one row wait beside one who sends 5,000 at a time, natively or in v2: `python -m bench.fairness`.

Rounds alone and beside take turns, of this tree and of the checkout, all services up at once on one core; what counts is the
median of the ratios within a round, because the machine differs more from minute to minute than what is measured.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median

import msgspec

from bench.against import serve_alone
from bench.bars import Bar, fairness_bar
from bench.entrants import Entrant, Round
from bench.errors import BenchError
from bench.fixtures import prepare_fixture
from bench.large_caller import PROTOCOLS, Large, LargeCaller
from bench.load import ensure_wrk, run_wrk
from bench.report import number, told
from bench.results import MISSES
from bench.servers import end_servers_at_sigterm
from bench.settings import Settings, read_settings

ROWS = 5_000
ROOM = {"MAX_INSTANCES": str(ROWS), "MAX_BODY_BYTES": str(8 * 1024 * 1024), "REQUEST_TIMEOUT_SECONDS": "60"}
ROOM |= {"CONCURRENCY_ADAPTIVE": "false"}  # who waits is measured, and not who is refused


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """What callers with one row waited in one round, alone and beside; `rows` the other was answered meanwhile."""

    side: str
    protocol: str
    connections: int
    alone_p50_ms: float
    alone_p99_ms: float
    beside_p50_ms: float
    beside_p99_ms: float
    rows: float

    @property
    def ratio(self) -> float:
        return self.beside_p99_ms / self.alone_p99_ms


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    settings = read_settings()
    end_servers_at_sigterm()
    ensure_wrk()
    os.sched_setaffinity(0, {settings.load_core})
    found = measure(settings, options)
    print("\n".join(table(found)))
    return told([waiting_bar(found, each) for each in PROTOCOLS], strict=options.strict)


def waiting_bar(found: Sequence[Wait], protocol: str) -> Bar:
    """Of the caller who sends one request at a time: what a request waits for, and not what many wait for each other."""
    what = ("now", protocol, 1)
    ratios = [wait.ratio for wait in found if (wait.side, wait.protocol, wait.connections) == what]
    return fairness_bar(protocol, median(ratios) if ratios else None)


def measure(settings: Settings, options: argparse.Namespace) -> list[Wait]:
    fixture = prepare_fixture(settings, options.model)
    with contextlib.ExitStack() as stack:
        sides = {"now": serve_alone(settings, fixture, stack, more=ROOM)}
        if options.before:
            root = options.before.resolve()
            sides["before"] = serve_alone(replace(settings, root=root), fixture, stack, more=ROOM)
        rounds = [
            Round(
                kind=MISSES, connections=count, number=turn, seconds=options.seconds, core=settings.load_core
            )
            for turn in range(options.rounds)
            for count in (1, 16)
        ]
        large_callers = [Large(protocol, fixture.model, ROWS) for protocol in PROTOCOLS]
        return [
            _wait(side, entrant, what, large)
            for what in rounds
            for large in large_callers
            for side, entrant in sides.items()
        ]


def _wait(side: str, entrant: Entrant, what: Round, large: Large) -> Wait:
    target, connections = entrant.start.misses, what.connections
    turn = 2 * what.number + PROTOCOLS.index(large.protocol)
    first = 20_000_000 * (turn + 1) + 1_000_000 * connections
    entrant.server.settle()
    load = partial(run_wrk, target, connections=connections, seconds=what.seconds, core=what.core)
    alone = load(first=first)
    with LargeCaller(target, large, serial=1000 * (turn * 20 + connections)) as caller:
        beside = load(first=first + 500_000)
        rows = caller.rows_per_second()
    if alone.status_errors + beside.status_errors:
        raise BenchError(f"{side}: requests for one row failed")
    wait = Wait(
        side=side,
        protocol=large.protocol,
        connections=connections,
        alone_p50_ms=alone.p50_us / 1000,
        alone_p99_ms=alone.p99_us / 1000,
        beside_p50_ms=beside.p50_us / 1000,
        beside_p99_ms=beside.p99_us / 1000,
        rows=rows,
    )
    print(
        f"  {side:<6} {large.protocol:<7} {connections:>2} connections, p99 beside / alone: {wait.ratio:.2f}",
        flush=True,
    )
    return wait


def table(found: Sequence[Wait]) -> list[str]:
    lines = [
        "| side | beside | connections | p50 alone | p99 alone | p50 beside | p99 beside | p99 ratio | rows/s beside |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for what in sorted({(wait.side, wait.protocol, wait.connections) for wait in found}):
        mine = [wait for wait in found if (wait.side, wait.protocol, wait.connections) == what]
        names = ("alone_p50_ms", "alone_p99_ms", "beside_p50_ms", "beside_p99_ms", "ratio", "rows")
        cells = [number(median(getattr(wait, name) for wait in mine)) for name in names]
        lines.append(f"| {' | '.join(map(str, what))} | {' | '.join(cells)} |")
    return lines


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.fairness", description=__doc__)
    parser.add_argument("--before", type=Path, help="work tree of an earlier commit, to measure beside")
    parser.add_argument("--model", default="model-a", help="model-a or food-delivery (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3, help="length of a round")
    parser.add_argument("--strict", action="store_true", help="exit 1 when the bar is missed")
    return parser


if __name__ == "__main__":
    sys.exit(main())
