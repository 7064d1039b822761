"""What requests cost beside an earlier commit: `python -m bench.against CHECKOUT`, both services up at once, loaded in turn.

A change costs a few per cent of a request, less than a machine differs from one minute to the next: so every round has its
neighbour of the other service, on the same core, and what counts is the median of their ratios.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import TypeVar

from bench.contestants import SLIPWAY
from bench.entrants import Entrant, Round
from bench.errors import BenchError
from bench.fixtures import Fixture, prepare_fixture
from bench.launching import Site
from bench.load import ensure_wrk
from bench.redis import redis_launch
from bench.results import HITS, MISSES
from bench.servers import RunningServer, end_servers_at_sigterm, free_port
from bench.settings import Settings, read_settings
from bench.starting import start_all

CONNECTIONS = 64

Side = TypeVar("Side")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Rounds of each service and kind of request, how long each is, and the core that the load comes from."""

    rounds: int
    seconds: float
    core: int


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """CPU of the process that answers, in microseconds of a request, by round: of the checkout, and of this tree."""

    kind: str
    before: Sequence[float]
    now: Sequence[float]

    @property
    def ratio(self) -> float:
        return median(now / before for now, before in zip(self.now, self.before, strict=True))


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    if not (options.checkout / "service.py").is_file():
        raise BenchError(f"{options.checkout} is no checkout of this project")
    settings = read_settings()
    end_servers_at_sigterm()
    ensure_wrk()
    fixture = prepare_fixture(settings, options.model)
    os.sched_setaffinity(0, {settings.load_core})
    with contextlib.ExitStack() as stack:
        before = serve_alone(replace(settings, root=options.checkout.resolve()), fixture, stack)
        now = serve_alone(settings, fixture, stack)
        plan = Plan(rounds=options.rounds, seconds=options.seconds, core=settings.load_core)
        found = [_compared(before, now, kind, plan) for kind in (HITS, MISSES)]
    print("\n".join(table(found)))


def table(found: Sequence[Comparison]) -> list[str]:
    rows = ["| kind | before: lowest, median | now: lowest, median | ratio |", "|---|---:|---:|---:|"]
    for each in found:
        before, now = (f"{min(side):.0f}, {median(side):.0f}" for side in (each.before, each.now))
        rows.append(f"| {each.kind} | {before} | {now} | {each.ratio:.3f} |")
    return rows


def serve_alone(
    settings: Settings,
    fixture: Fixture,
    stack: contextlib.ExitStack,
    *,
    more: Mapping[str, str] | None = None,
) -> Entrant:
    """With stores of its own: from a shared cache, one would be answered what the other has computed. `more` settings
    go into its environment.
    """
    scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="slipway-against-")))
    inherited = settings.inherited | dict(more or {})
    settings = replace(settings, work=scratch / "work", inherited=inherited)
    port = free_port()
    stack.enter_context(RunningServer(redis_launch(settings, port=port, folder=scratch)))
    site = Site(
        settings=settings,
        fixture=fixture,
        scratch=scratch,
        redis_port=port,
        secret=secrets.token_urlsafe(48),
    )
    return start_all(site, [SLIPWAY], stack).entrants[0]


def _compared(before: Entrant, now: Entrant, kind: str, plan: Plan) -> Comparison:
    spent: dict[str, list[float]] = {"before": [], "now": []}
    for number in range(1, plan.rounds + 1):
        what = Round(kind=kind, connections=CONNECTIONS, number=number, seconds=plan.seconds, core=plan.core)
        for name, entrant in in_turn(("before", before), ("now", now), number=number):
            sample = entrant.run(what)
            if sample.status_errors or sample.socket_errors:
                raise BenchError(f"{name}: requests of {kind} failed")
            spent[name].append(sample.request_cpu_us)
            print(f"  {kind} {number}/{plan.rounds} {name:<6} {sample.request_cpu_us:6.1f} µs", flush=True)
    return Comparison(kind=kind, before=spent["before"], now=spent["now"])


def in_turn(one: Side, other: Side, *, number: int) -> tuple[Side, Side]:
    """Each is first in every other round."""
    return (one, other) if number % 2 else (other, one)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.against", description=__doc__)
    parser.add_argument("checkout", type=Path, help="work tree of the earlier commit (`git worktree add`)")
    parser.add_argument("--model", default="model-a", help="model-a or food-delivery (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=7, help="of each service and kind of request")
    parser.add_argument("--seconds", type=float, default=4, help="length of a round")
    return parser


if __name__ == "__main__":
    main()
