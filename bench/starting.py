"""Bringing servers up: how long each takes to its first prediction, and that all of them predict the same."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Sequence
from dataclasses import replace

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
