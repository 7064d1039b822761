"""The bars of the issue as arithmetic over results: what is compared, the limit, and whether it is met."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

import msgspec

from bench.batch_results import MEMORY_MB as BATCH_MEMORY_MB
from bench.batch_results import MLFLOW, RATIOS, BatchResult
from bench.batch_results import SLIPWAY as BATCH
from bench.contestants import CONTESTANTS, FLOOR, SLIPWAY
from bench.overload_results import Overloaded
from bench.results import HITS, MISSES, ModelResult, ModelTime

CONNECTIONS = 64
UNBATCHED_RATIO, BATCHED_RATIO, FEATURES_RATIO, BARE_RATIO = 100.0, 15.0, 20.0, 10.0
MISS_CPU_RATIO, HIT_CPU_RATIO = 2.5, 1.4
COLD_START_RATIO, DRAIN_SECONDS, MEMORY_MB = 1.25, 30.0, 200.0
MODEL_TIME_MS = 0.2
HALF_CORE_RATIO, MOST_THREADS = 3.0, 12
WAITING_RATIO = PACED_RATIO = 2.0
V2_RATIO, BINARY_RATIO = 1.5, 3.0
SHADOW_RATIO = 1.05


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """`value` is None when it was not measured in this run; such a bar has neither passed nor failed."""

    name: str
    value: float | None
    limit: float
    at_least: bool
    unit: str = "times"

    @property
    def passed(self) -> bool | None:
        if self.value is None:
            return None
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def bars(result: ModelResult) -> list[Bar]:
    """Every bar that is stated for this model."""
    throughput = {"food-delivery": _against_every_peer, "model-a": _against_same_features}
    chosen = throughput.get(result.model)
    return [*(chosen(result) if chosen else ()), *_cpu(result), *_paced(result), *_beside(result)]


def batch_bars(result: BatchResult) -> list[Bar]:
    """Throughput of whole commands, and memory throughout."""
    name = f"rows/s of a batch of {result.rows:,} rows, against `{MLFLOW}`"
    ratio = result.rows_per_second(BATCH) / result.rows_per_second(MLFLOW)
    memory = result.peak_memory_mb(BATCH)
    return [
        Bar(name=name, value=ratio, limit=RATIOS[result.model], at_least=True),
        Bar(name="peak memory of a batch", value=memory, limit=BATCH_MEMORY_MB, at_least=False, unit="MB"),
    ]


def model_time_bar(found: ModelTime) -> Bar:
    return Bar(
        name="model time of one row, median",
        value=found.p50_ms,
        limit=MODEL_TIME_MS,
        at_least=False,
        unit="ms",
    )


def protocol_bars(one_row: float | None, many_rows: float | None) -> list[Bar]:
    """v2 JSON against the native route for one row, and against v2 binary for 256."""
    return [
        Bar(name="CPU of one row in v2 JSON, against native", value=one_row, limit=V2_RATIO, at_least=False),
        Bar(
            name="CPU of a row in v2 JSON, against v2 binary, 256 rows a request",
            value=many_rows,
            limit=BINARY_RATIO,
            at_least=True,
        ),
    ]


def fairness_bar(protocol: str, ratio: float | None) -> Bar:
    name = f"p99 of one-row requests beside {protocol} requests of 5,000 rows, against alone"
    return Bar(name=name, value=ratio, limit=WAITING_RATIO, at_least=False)


def shadow_bar(ratio: float | None) -> Bar:
    name = "p99 with every row tried on a challenger, against without"
    return Bar(name=name, value=ratio, limit=SHADOW_RATIO, at_least=False)


def half_core_bars(ratio: float, threads: int) -> list[Bar]:
    """p99 with half a core against that with one, and the threads of the busiest process."""
    return [
        Bar(
            name="p99 with half of a core, against with one",
            value=ratio,
            limit=HALF_CORE_RATIO,
            at_least=False,
        ),
        Bar(name="threads of a process", value=threads, limit=MOST_THREADS, at_least=False, unit="threads"),
    ]


def overload_bars(found: Overloaded) -> list[Bar]:
    """Of arrivals beyond what the service can answer, of what comes after them, and of callers beside a greedy one."""
    five, ten = found.at(5.0), found.at(10.0)
    goodput = [each.goodput if each else None for each in (five, ten)]
    slower, refused = (five.slower, five.step.refused_p99_ms) if five else (None, None)
    failed = sum(each.step.failed for each in found.steps)
    probe = max((each.slowest_probe_ms for each in found.steps), default=None)
    beside = found.neighbours.beside
    return [
        Bar(name="goodput at 5 times the peak, of the peak", value=goodput[0], limit=0.9, at_least=True),
        Bar(name="goodput at 10 times the peak, of the peak", value=goodput[1], limit=0.8, at_least=True),
        Bar(name="p99 of answers at 5 times, against unloaded", value=slower, limit=2.0, at_least=False),
        Bar(name="p99 of refusals at 5 times", value=refused, limit=50.0, at_least=False, unit="ms"),
        Bar(name="neither answered nor refused", value=failed, limit=0, at_least=False, unit="requests"),
        Bar(name="slowest probe under overload", value=probe, limit=100.0, at_least=False, unit="ms"),
        Bar(name="CPU of a refusal", value=found.refusal_ms, limit=0.2, at_least=False, unit="ms"),
        Bar(
            name="until at most one in a hundred is refused",
            value=found.afterwards.recovered,
            limit=5.0,
            at_least=False,
            unit="s",
        ),
        Bar(
            name="requests of a modest caller beside a greedy one that were not answered",
            value=beside.sent - beside.answered,
            limit=0,
            at_least=False,
            unit="requests",
        ),
        Bar(
            name="p99 of a modest caller beside a greedy one, against alone",
            value=found.neighbours.slower,
            limit=1.5,
            at_least=False,
        ),
    ]


def _against_every_peer(result: ModelResult) -> Iterator[Bar]:
    for peer in CONTESTANTS.values():
        if peer.answers_predictions:
            limit = BATCHED_RATIO if peer.batches else UNBATCHED_RATIO
            yield _throughput(result, peer.name, limit)


def _against_same_features(result: ModelResult) -> Iterator[Bar]:
    """Who has the same features on, and who answers predictions and does nothing else."""
    for peer in CONTESTANTS.values():
        if peer.answers_predictions:
            yield _throughput(result, peer.name, FEATURES_RATIO if peer.features_on else BARE_RATIO)


def _throughput(result: ModelResult, peer: str, limit: float) -> Bar:
    ours, theirs = result.of(SLIPWAY, MISSES, CONNECTIONS), result.of(peer, MISSES, CONNECTIONS)
    value = ours.requests_per_second / theirs.requests_per_second if ours and theirs else None
    name = f"requests/s, misses, {CONNECTIONS} connections, against {peer}"
    return Bar(name=name, value=value, limit=limit, at_least=True)


def _cpu(result: ModelResult) -> Iterator[Bar]:
    floor = result.of(FLOOR.name, MISSES, CONNECTIONS)
    for kind, limit in ((MISSES, MISS_CPU_RATIO), (HITS, HIT_CPU_RATIO)):
        ours = result.of(SLIPWAY, kind, CONNECTIONS)
        value = ours.request_cpu_us / floor.request_cpu_us if ours and floor else None
        name = f"CPU of the request process per request, {kind}, against the floor"
        yield Bar(name=name, value=value, limit=limit, at_least=False)


def _paced(result: ModelResult) -> Iterator[Bar]:
    yield Bar(
        name="p99 at half of the peak's rate, against the floor's at the same rate",
        value=result.paced_ratio(SLIPWAY, FLOOR.name),
        limit=PACED_RATIO,
        at_least=False,
    )


def _beside(result: ModelResult) -> Iterator[Bar]:
    ours, empty = result.cold_start_seconds, result.empty_bentoml_cold_start_seconds
    ratio = median(ours) / median(empty) if ours and empty else None
    yield Bar(
        name="cold start to the first prediction, against an empty BentoML service",
        value=ratio,
        limit=COLD_START_RATIO,
        at_least=False,
    )
    facts = result.facts(SLIPWAY)
    memory = facts.request_pss_bytes / 1e6 if facts else None
    yield Bar(
        name="memory of the request process (PSS)", value=memory, limit=MEMORY_MB, at_least=False, unit="MB"
    )
    drains = [item.drain_seconds for item in result.samples if item.drain_seconds is not None]
    longest = max(drains, default=None)
    yield Bar(
        name="backlog empty after the load's end",
        value=longest,
        limit=DRAIN_SECONDS,
        at_least=False,
        unit="s",
    )
    yield _log_bar(result)
    yield _error_bar(result)


def _log_bar(result: ModelResult) -> Bar:
    check = result.log_check
    wrong = None
    if check is not None:
        wrong = float(abs(check.answered - check.rows) + check.ids_sent - check.ids_found_once)
    return Bar(
        name="answered predictions that are not in SQL exactly once",
        value=wrong,
        limit=0,
        at_least=False,
        unit="rows",
    )


def _error_bar(result: ModelResult) -> Bar:
    ours: Sequence[int] = [
        item.status_errors + item.socket_errors for item in result.samples if item.server == SLIPWAY
    ]
    ours = [*ours, *(each.failed for each in result.paced if each.server == SLIPWAY)]
    value = float(sum(ours)) if ours else None
    return Bar(name="failed requests of Slipway", value=value, limit=0, at_least=False, unit="requests")
