"""What half of a core does to the latency: `python -m bench.half_core`, the service with a core and with a quota of half of one.

The kernel gives a container with a CPU limit its share in slices of a tenth of a second; more threads than the share has cores
use theirs up early and wait for the next. Arrivals are open-loop, at a quarter of what a whole core answers, in turns.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from bench.against import CONNECTIONS, serve_alone
from bench.bars import half_core_bars
from bench.entrants import AGENT_MARK, Entrant, Round
from bench.errors import BenchError
from bench.fixtures import prepare_fixture
from bench.load import ensure_wrk
from bench.proc import command_line
from bench.report import told
from bench.results import MISSES
from bench.servers import end_servers_at_sigterm
from bench.settings import read_settings

CGROUPS = Path("/sys/fs/cgroup")
PERIOD_US = 100_000
RATE = 0.25


class CpuQuota:
    """A control group of ours, of the kernel's first or second kind. Raises BenchError where we may make none."""

    def __init__(self, cgroups: Path = CGROUPS) -> None:
        self._second = (cgroups / "cgroup.controllers").exists()
        self.folder = (cgroups if self._second else cgroups / "cpu") / f"slipway-bench-{os.getpid()}"
        try:
            self.folder.mkdir()
        except OSError as error:
            raise BenchError(f"no control group can be made here: {error.strerror}") from error

    def take(self, pid: int) -> None:
        (self.folder / "cgroup.procs").write_text(str(pid))

    def give(self, cores: float | None) -> None:
        """So many cores, or as many as there are."""
        quota = None if cores is None else round(cores * PERIOD_US)
        if self._second:
            (self.folder / "cpu.max").write_text(f"{'max' if quota is None else quota} {PERIOD_US}")
        else:
            (self.folder / "cpu.cfs_quota_us").write_text(str(-1 if quota is None else quota))

    def close(self) -> None:
        """After the last of its processes has ended."""
        self.folder.rmdir()


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    end_servers_at_sigterm()
    settings = read_settings()
    ensure_wrk()
    fixture = prepare_fixture(settings, options.model)
    os.sched_setaffinity(0, {settings.load_core})
    with contextlib.ExitStack() as stack:
        quota = stack.enter_context(contextlib.closing(CpuQuota()))
        entrant = serve_alone(settings, fixture, stack)
        for pid in answering(entrant):
            quota.take(pid)
        ratios = list(_ratios(entrant, quota, options, core=settings.load_core))
        threads = max(len(list(Path(f"/proc/{pid}/task").iterdir())) for pid in answering(entrant))
    return told(half_core_bars(median(ratios), threads), strict=options.strict)


def answering(entrant: Entrant) -> list[int]:
    """The processes of the service's container: the agent has one of its own."""
    return [pid for pid in entrant.server.tree() if AGENT_MARK not in command_line(pid)]


def _ratios(entrant: Entrant, quota: CpuQuota, options: argparse.Namespace, *, core: int) -> Iterator[float]:
    what = Round(kind=MISSES, connections=CONNECTIONS, number=0, seconds=options.seconds, core=core)
    rate = RATE * entrant.run(what).requests_per_second
    for number in range(1, options.rounds + 1):
        p99: list[float] = []
        for cores in (None, 0.5):
            quota.give(cores)
            found = entrant.at_rate(rate, number=number, seconds=options.seconds, core=core)
            if found.failed:
                raise BenchError(f"{found.failed} requests failed with {cores or 'all'} cores")
            p99.append(found.p99_ms)
        quota.give(None)
        print(
            f"  {rate:,.0f}/s, p99 with a core {p99[0]:.1f} ms, with half of one {p99[1]:.1f} ms", flush=True
        )
        yield p99[1] / p99[0]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.half_core", description=__doc__)
    parser.add_argument("--model", default="model-a", help="model-a or food-delivery (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5, help="length of a round")
    parser.add_argument("--strict", action="store_true", help="exit 1 when a bar is missed")
    return parser


if __name__ == "__main__":
    sys.exit(main())
