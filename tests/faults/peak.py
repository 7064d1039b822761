"""What half load is half of: the answers that wrk gets, where it is installed, because a generator in Python takes the service's
cores for itself and gets fewer.
"""

from __future__ import annotations

import json
import os
import random
import shutil
from dataclasses import dataclass

from bench.load import LoadResult, Target, run_wrk
from tests.e2e.rows import iris_row
from tests.e2e.running_service import RunningService
from tests.faults.load import OpenLoad

CONNECTIONS = 32
PEAK_SECONDS = 4.0
BEARABLE = 0.7  # of what our generator gets at most; nearer to that, latencies are its own
VARIED = "@@4.0|0.001|0.000000001@@"  # see bench/wrk.lua: no body is sent twice


@dataclass(frozen=True, kw_only=True)
class Peak:
    """Answers a second at most: as wrk gets them (0 without it), and as our own generator does."""

    wrk: float
    own: float

    @property
    def half(self) -> float:
        return min(self.wrk / 2 or self.own / 2, self.own * BEARABLE)

    @property
    def text(self) -> str:
        """What the load is, in words for the page."""
        load = f"The load is {self.half:.0f} requests a second"
        if not self.wrk:
            return f"{load}, half of what our own generator gets: without wrk the peak is not known."
        share = self.half / self.wrk
        cause = "" if share > 0.49 else "; more our generator cannot ask for in time on these cores"
        return f"{load}, {share:.0%} of the peak of {self.wrk:.0f} a second (wrk, {CONNECTIONS} connections){cause}."


def measured(service: RunningService) -> Peak:
    """Before anything breaks. Refusals are no answers."""
    wrk = _answers_a_second(_run(service)) if shutil.which("wrk") else 0.0
    seen = OpenLoad(service, rate=0, seconds=PEAK_SECONDS, prefix="peak-").seen()
    own = len(seen.acknowledged) / PEAK_SECONDS
    assert own, f"nothing was answered: {seen.failures}"
    return Peak(wrk=wrk, own=own)


def _run(service: RunningService) -> LoadResult:
    name, row = iris_row(random.Random(0))
    first = next(iter(row))
    marked = json.dumps({**row, first: VARIED}).replace(f'"{VARIED}"', VARIED)
    target = Target(
        port=service.api_port,
        path=f"/predict/{name}",
        headers={"Authorization": f"Bearer {service.token()}"},
        template=marked,
    )
    core = max(os.sched_getaffinity(0))
    return run_wrk(target, connections=CONNECTIONS, seconds=PEAK_SECONDS, first=0, core=core)


def _answers_a_second(result: LoadResult) -> float:
    return (result.requests - result.status_errors) / (result.duration_us / 1e6)
