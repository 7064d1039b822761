"""The loads of `bench.overload`, each open-loop and with bodies of its own."""

from __future__ import annotations

from msgspec.structs import replace

from bench.entrants import Entrant
from bench.errors import BenchError
from bench.load import run_wrk
from bench.open_loop import Exchanged, Stream, open_load
from bench.overload_results import Compared, Neighbours, Step, step_of
from bench.probing import probing

UNLOADED = 0.25
PEAK_CONNECTIONS = 16
# Of their quota, what a modest and a greedy caller ask for.
MODEST, GREEDY = 0.5, 20.0


class Runs:
    """Steps of one service, and what the same service answers without a limit."""

    def __init__(self, limited: Entrant, unlimited: Entrant, core: int) -> None:
        self._limited, self._unlimited, self._core, self._first = limited, unlimited, core, 10_000_000
        self._peak = 0.0

    def compared(self, times: float, seconds: float) -> Compared:
        """A step of so many seconds between its neighbours."""
        before = self._peak = self._measured_peak(seconds)
        unloaded = self.step(UNLOADED, seconds / 3)
        with probing(self._limited.start.misses.port) as probes:
            step = self.step(times, seconds)
        after = self._measured_peak(seconds)
        slowest = 1000 * max(probes, default=0.0)
        return Compared(step=step, peak=(before + after) / 2, unloaded=unloaded, slowest_probe_ms=slowest)

    def step(self, times: float, seconds: float) -> Step:
        found = self._load([self._stream(times)], seconds)
        return _told(step_of(found[0], times=times, seconds=seconds))

    def afterwards(self, times: float, seconds: float) -> Step:
        """What becomes of a quarter of the peak from the moment on in which an overload ends."""
        after = seconds / 6
        ends, begins = replace(self._stream(times), until=after), self._stream(UNLOADED)
        _, found = self._load([ends, replace(begins, after=after)], after + seconds)
        since = [Exchanged(each.due - after, each.seconds, each.status) for each in found]
        return _told(step_of(since, times=UNLOADED, seconds=seconds))

    def _stream(self, times: float) -> Stream:
        self._first += 10_000_000
        return Stream(target=self._limited.start.misses, rate=times * self._peak, first=self._first)

    def _load(self, streams: list[Stream], seconds: float) -> list[list[Exchanged]]:
        return open_load(streams, seconds=seconds, core=self._core)

    def _measured_peak(self, seconds: float) -> float:
        self._first += 10_000_000
        found = run_wrk(
            self._unlimited.start.misses,
            connections=PEAK_CONNECTIONS,
            seconds=max(2.0, seconds / 6),
            first=self._first,
            core=self._core,
        )
        if found.status_errors:
            raise BenchError("requests failed without a limit")
        print(f"  peak: {found.requests_per_second:.0f}/s", flush=True)
        return found.requests_per_second


def rationing(quota: float) -> dict[str, str]:
    """Settings by which each caller has so many requests a second."""
    return {"RATE_LIMIT_PER_SECOND": f"{quota:.1f}"}


def beside_a_greedy_one(entrant: Entrant, *, quota: float, seconds: float, core: int) -> Neighbours:
    """A caller who asks for half of his quota, alone and beside one who asks for twenty times his own."""
    neighbour = entrant.start.neighbour
    assert neighbour is not None, "a service of ours has callers"
    modest = Stream(target=neighbour, rate=MODEST * quota, first=1_000_000)
    greedy = Stream(target=entrant.start.misses, rate=GREEDY * quota, first=2_000_000)
    (alone,) = open_load([modest], seconds=seconds, core=core)
    beside, _ = open_load([replace(modest, first=3_000_000), greedy], seconds=seconds, core=core)
    return Neighbours(
        alone=_told(step_of(alone, times=MODEST, seconds=seconds)),
        beside=_told(step_of(beside, times=MODEST, seconds=seconds)),
    )


def _told(step: Step) -> Step:
    refused = step.refused + step.failed
    print(f"  {step.times:g} times: {step.goodput:.0f}/s answered, {refused} refused or failed", flush=True)
    return step
