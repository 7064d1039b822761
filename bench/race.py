"""One model's race: all servers up, checked to predict the same, then loaded in turn, round by round."""

from __future__ import annotations

import contextlib
import math
import secrets
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench.client import post, predicted_value, wait_for_answer
from bench.contestants import CONTESTANTS, SLIPWAY
from bench.entrants import Entrant, Round
from bench.errors import BenchError
from bench.fixtures import Fixture
from bench.launching import Site, Start, contestant_start, empty_bentoml_start, slipway_start
from bench.prediction_log import PredictionLog, answered_predictions
from bench.redis import redis_launch
from bench.results import HITS, MISSES, LogCheck, ModelResult, Sample
from bench.servers import RunningServer, free_port
from bench.settings import Settings

START_LIMIT_SECONDS = 120.0
SAME_PREDICTION = 1e-3
CHECKED_IDS = 500


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
        entrants = start_all(site, chosen, stack)
        samples = list(_rounds(entrants, plan, settings.load_core))
        slipway = next((item for item in entrants if item.name == SLIPWAY), None)
        return ModelResult(
            model=fixture.model,
            samples=samples,
            servers=[item.facts() for item in entrants],
            cold_start_seconds=ours,
            empty_bentoml_cold_start_seconds=empty,
            log_check=check_log(slipway) if slipway else None,
        )


def cold_starts(site: Site, count: int) -> tuple[list[float], list[float]]:
    """Seconds to the first 200 of Slipway and of an empty BentoML service, in turn; the first pair fills caches and store."""
    ours: list[float] = []
    empty: list[float] = []
    for number in range(count + 1):
        for name, found, start in (
            ("empty-bentoml", empty, empty_bentoml_start),
            (SLIPWAY, ours, slipway_start),
        ):
            begin = start(site)
            with RunningServer(begin.launch) as server:
                seconds = seconds_to_answer(begin, server)
                server.settle()
            if number:
                found.append(seconds)
                print(f"  cold start {number}/{count} {name}: {seconds:.2f} s", flush=True)
    return ours, empty


def seconds_to_answer(start: Start, server: RunningServer) -> float:
    begin = time.monotonic()
    wait_for_answer(start.hits, limit_seconds=START_LIMIT_SECONDS, check_alive=server.check_alive)
    return time.monotonic() - begin


def start_all(site: Site, chosen: Sequence[str], stack: contextlib.ExitStack) -> list[Entrant]:
    entrants, answer_bytes, expected = [], 200, math.nan
    for name in chosen:
        if name == SLIPWAY:
            start = slipway_start(site)
        else:
            start = contestant_start(site, CONTESTANTS[name], answer_bytes=answer_bytes)
        server = stack.enter_context(RunningServer(start.launch))
        seconds = seconds_to_answer(start, server)
        body = post(start.hits).body
        if name == SLIPWAY:
            answer_bytes = len(body)
        if name == SLIPWAY or CONTESTANTS[name].answers_predictions:
            expected = same_prediction(name, predicted_value(body), expected)
        entrant = _entrant(site, name, start, server, seconds)
        entrant.warm_up(site.settings.load_core)
        print(f"  {name} is up after {seconds:.1f} s", flush=True)
        entrants.append(entrant)
    return entrants


def same_prediction(name: str, value: float, expected: float) -> float:
    """All servers must serve the same model, or the comparison means nothing."""
    if not math.isnan(expected) and not math.isclose(value, expected, rel_tol=SAME_PREDICTION):
        raise BenchError(f"{name} predicts {value}, the others {expected}: not the same model")
    return value


def check_log(slipway: Entrant) -> LogCheck:
    """Sends requests whose ids are kept, waits for the backlog, and compares ids and counts with SQL."""
    assert slipway.log is not None
    ids = []
    for _ in range(CHECKED_IDS):
        answer = post(slipway.start.hits)
        if answer.status != 200:
            raise BenchError(f"slipway answered {answer.status} while ids were collected")
        ids.append(msgspec.json.decode(answer.body)["prediction_id"])
    answered = answered_predictions(slipway.start.hits.port)
    slipway.log.wait_until_shipped(at_least=answered)
    return LogCheck(
        answered=answered,
        rows=slipway.log.rows(),
        ids_sent=len(ids),
        ids_found_once=slipway.log.found_once(ids),
    )


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


def _tell(sample: Sample) -> None:
    failed = sample.status_errors + sample.socket_errors
    print(
        f"    {sample.server:<18} {sample.kind:<6} {sample.requests_per_second:>9,.0f}/s  p50 {sample.p50_ms:8.2f} ms"
        f"  p99 {sample.p99_ms:8.2f} ms  {sample.request_cpu_us:8.0f} µs CPU"
        + (f"  {failed} FAILED" if failed else ""),
        flush=True,
    )
