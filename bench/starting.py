"""Bringing servers up: how long each takes to its first prediction, and that all of them predict the same."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bench.bodies import filled
from bench.client import post, predicted_value, wait_for_answer
from bench.contestants import CONTESTANTS, SLIPWAY
from bench.entrants import Entrant
from bench.errors import BenchError
from bench.launching import Site, Start, empty_bentoml_start, slipway_start
from bench.peer_start import contestant_start
from bench.prediction_log import PredictionLog
from bench.results import HITS, MISSES
from bench.servers import RunningServer

START_LIMIT_SECONDS = 120.0
SAME_PREDICTION = 1e-3


def cold_starts(site: Site, count: int) -> tuple[list[float], list[float]]:
    """Seconds to the first 200 of Slipway and of an empty BentoML service, in turn; the first pair fills caches and store."""
    apart = replace(site, scratch=site.scratch / "cold-starts")
    apart.scratch.mkdir()
    ours: list[float] = []
    empty: list[float] = []
    for number in range(count + 1):
        for name, found, start in (
            ("empty-bentoml", empty, empty_bentoml_start),
            (SLIPWAY, ours, slipway_start),
        ):
            begin = start(apart)
            with RunningServer(begin.launch) as server:
                seconds = seconds_to_answer(begin, server, number=number + 1)
                server.settle()
            if number:
                found.append(seconds)
                print(f"  cold start {number}/{count} {name}: {seconds:.2f} s", flush=True)
    return ours, empty


def seconds_to_answer(start: Start, server: RunningServer, *, number: int = 0) -> float:
    """With a body that no cache has seen: the first answer is to come from the model."""
    target, begin = replace(start.misses, template=filled(start.misses.template, number)), time.monotonic()
    wait_for_answer(target, limit_seconds=START_LIMIT_SECONDS, check_alive=server.check_alive)
    return time.monotonic() - begin


@dataclass
class Line:
    """Servers as they come up: those that race, and why the others do not."""

    site: Site
    stack: contextlib.ExitStack
    entrants: list[Entrant] = field(default_factory=list)
    absent: dict[str, str] = field(default_factory=dict)
    answer_bytes: int = 200
    expected: float = math.nan

    def bring_up(self, name: str) -> None:
        """A peer that cannot be installed or started is left out and named; without Slipway there is no race."""
        try:
            with contextlib.ExitStack() as own:
                entrant = self._start(name, own)
                self.stack.push(own.pop_all())
        except BenchError as error:
            if name == SLIPWAY:
                raise
            self.absent[name] = str(error).splitlines()[0].rstrip(":")
            print(f"  {name} is left out: {error}", flush=True)
            return
        print(f"  {name} is up after {entrant.first_answer_seconds:.1f} s", flush=True)
        self.entrants.append(entrant)

    def _start(self, name: str, own: contextlib.ExitStack) -> Entrant:
        if name == SLIPWAY:
            start = slipway_start(self.site)
        else:
            start = contestant_start(self.site, CONTESTANTS[name], answer_bytes=self.answer_bytes)
        server = own.enter_context(RunningServer(start.launch))
        seconds = seconds_to_answer(start, server)
        body = post(start.hits).body
        if name == SLIPWAY:
            self.answer_bytes = len(body)
        if name == SLIPWAY or CONTESTANTS[name].answers_predictions:
            self.expected = same_prediction(name, predicted_value(body), self.expected)
        entrant = _entrant(self.site, name, start, server, seconds)
        entrant.warm_up(self.site.settings.load_core)
        return entrant


def start_all(site: Site, chosen: Sequence[str], stack: contextlib.ExitStack) -> Line:
    line = Line(site=site, stack=stack)
    for name in chosen:
        line.bring_up(name)
    return line


def same_prediction(name: str, value: float, expected: float) -> float:
    """All servers must serve the same model, or the comparison means nothing."""
    if not math.isnan(expected) and not math.isclose(value, expected, rel_tol=SAME_PREDICTION):
        raise BenchError(f"{name} predicts {value}, the others {expected}: not the same model")
    return value


def _entrant(site: Site, name: str, start: Start, server: RunningServer, seconds: float) -> Entrant:
    caches = name == SLIPWAY or CONTESTANTS[name].features_on
    return Entrant(
        name=name,
        start=start,
        server=server,
        kinds=(MISSES, HITS) if caches else (MISSES,),
        first_answer_seconds=seconds,
        log=PredictionLog(database=site.database) if name == SLIPWAY else None,
    )
