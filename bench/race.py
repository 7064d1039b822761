"""One model's race: all servers up, then loaded in turn, round by round."""

from __future__ import annotations

import contextlib
import secrets
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.contestants import FLOOR, SLIPWAY
from bench.entrants import Entrant, Round
from bench.fixtures import Fixture
from bench.launching import Site
from bench.log_check import check_log
from bench.redis import redis_launch
from bench.results import MISSES, ModelResult, Paced, Sample
from bench.servers import RunningServer, free_port
from bench.settings import Settings
from bench.starting import cold_starts, start_all


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How long a race is. `seconds` and `rounds` are those at the most connections; the others get less."""

    seconds: float
    rounds: int
    side_seconds: float
    side_rounds: int
    cold_starts: int
    connections: tuple[int, ...] = (1, 16, 64)

    def rounds_of(self, connections: int) -> tuple[int, float]:
        main = connections == max(self.connections)
        return (self.rounds, self.seconds) if main else (self.side_rounds, self.side_seconds)


def race(settings: Settings, fixture: Fixture, plan: Plan, chosen: Sequence[str]) -> ModelResult:
    with contextlib.ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="slipway-bench-")))
        port = free_port()
        stack.enter_context(RunningServer(redis_launch(settings, port=port, folder=scratch)))
        site = Site(
            settings=settings,
            fixture=fixture,
            scratch=scratch,
            redis_port=port,
            secret=secrets.token_urlsafe(48),
        )
        ours, empty = cold_starts(site, plan.cold_starts) if SLIPWAY in chosen else ([], [])
        line = start_all(site, chosen, stack)
        entrants = line.entrants
        samples = list(_rounds(entrants, plan, settings.load_core))
        slipway = next((item for item in entrants if item.name == SLIPWAY), None)
        return ModelResult(
            model=fixture.model,
            samples=samples,
            paced=_at_half_rate(entrants, samples, plan, settings.load_core),
            absent=line.absent,
            servers=[item.facts() for item in entrants],
            cold_start_seconds=ours,
            empty_bentoml_cold_start_seconds=empty,
            log_check=check_log(slipway) if slipway else None,
        )


def _rounds(entrants: Sequence[Entrant], plan: Plan, core: int) -> list[Sample]:
    samples = []
    for connections in plan.connections:
        rounds, seconds = plan.rounds_of(connections)
        for number in range(1, rounds + 1):
            print(f"  {connections} connections, round {number}/{rounds}", flush=True)
            for entrant in entrants:
                for kind in entrant.kinds:
                    what = Round(
                        kind=kind, connections=connections, number=number, seconds=seconds, core=core
                    )
                    samples.append(entrant.run(what))
                    _tell(samples[-1])
    return samples


def _at_half_rate(
    entrants: Sequence[Entrant], samples: Sequence[Sample], plan: Plan, core: int
) -> list[Paced]:
    """Slipway and the floor in turn, at half of what Slipway answers when it is asked without a pause."""
    pair = [entrant for entrant in entrants if entrant.name in (SLIPWAY, FLOOR.name)]
    most = max(plan.connections)
    peaks = [
        item.requests_per_second
        for item in samples
        if (item.server, item.kind, item.connections) == (SLIPWAY, MISSES, most)
    ]
    if len(pair) < 2 or not peaks:
        return []
    found = []
    for number in range(1, plan.rounds + 1):
        print(f"  at half of the peak's rate, round {number}/{plan.rounds}", flush=True)
        for entrant in pair:
            rate = median(peaks) / 2
            found.append(entrant.at_rate(rate, number=number, seconds=plan.seconds, core=core))
            told = found[-1]
            print(
                f"    {told.server:<18} {rate:,.0f}/s  p50 {told.p50_ms:.2f} ms  p99 {told.p99_ms:.2f} ms",
                flush=True,
            )
    return found


def _tell(sample: Sample) -> None:
    failed = sample.status_errors + sample.socket_errors
    print(
        f"    {sample.server:<18} {sample.kind:<6} {sample.requests_per_second:>9,.0f}/s  p50 {sample.p50_ms:8.2f} ms"
        f"  p99 {sample.p99_ms:8.2f} ms  {sample.request_cpu_us:8.0f} µs CPU"
        + (f"  {failed} FAILED" if failed else ""),
        flush=True,
    )
