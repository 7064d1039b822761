"""What a benchmark run found: the shape of `bench.json`, and the medians over its rounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median

import msgspec

from bench.batch_results import BatchResult

MISSES, HITS = "misses", "hits"


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One round of load on one server. CPU is that of the server's processes while the load ran.

    `agent_us_per_record`, `drain_seconds` and `rows_logged` exist where a prediction log is shipped beside the requests:
    the agent's CPU until its backlog was empty, how long that took after the load's end, and how many rows SQL gained.
    """

    server: str
    kind: str
    connections: int
    round: int
    requests: int
    requests_per_second: float
    p50_ms: float
    p99_ms: float
    status_errors: int
    socket_errors: int
    request_cpu_us: float
    tree_cpu_us: float
    agent_us_per_record: float | None = None
    drain_seconds: float | None = None
    rows_logged: int | None = None


class ServerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Of one server: seconds from start to its first prediction, and memory (PSS) after the load."""

    server: str
    first_answer_seconds: float
    request_pss_bytes: int
    tree_pss_bytes: int


class Paced(msgspec.Struct, frozen=True, kw_only=True):
    """One round of arrivals at a rate that is nobody's limit; latencies count from when each request was due."""

    server: str
    round: int
    rate: float
    p50_ms: float
    p99_ms: float
    failed: int


class LogCheck(msgspec.Struct, frozen=True, kw_only=True):
    """Whether every answered prediction is in SQL: by the service's own count, and by id for a sample of requests."""

    answered: int
    rows: int
    ids_sent: int
    ids_found_once: int

    @property
    def exact(self) -> bool:
        return self.answered == self.rows and self.ids_sent == self.ids_found_once


class ModelResult(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about one model. Cold starts are in the order in which they alternated; `absent` are peers left out, and why."""

    model: str
    samples: list[Sample]
    servers: list[ServerFacts]
    cold_start_seconds: list[float] = []
    empty_bentoml_cold_start_seconds: list[float] = []
    log_check: LogCheck | None = None
    paced: list[Paced] = []
    absent: dict[str, str] = {}

    def of(self, server: str, kind: str, connections: int) -> Summary | None:
        """Medians over the rounds; None when this was not measured."""
        found = [
            item
            for item in self.samples
            if (item.server, item.kind, item.connections) == (server, kind, connections)
        ]
        return summarize(found) if found else None

    def paced_ratio(self, server: str, other: str) -> float | None:
        """How many times the p99 of a server at that rate is another one's; the median over rounds, each in one round."""
        ours, theirs = (
            {each.round: each.p99_ms for each in self.paced if each.server == name}
            for name in (server, other)
        )
        ratios = [ours[number] / theirs[number] for number in ours if number in theirs]
        return median(ratios) if ratios else None

    def facts(self, server: str) -> ServerFacts | None:
        return next((item for item in self.servers if item.server == server), None)


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """Medians over rounds; errors are sums."""

    requests_per_second: float
    p50_ms: float
    p99_ms: float
    request_cpu_us: float
    tree_cpu_us: float
    errors: int


class ModelTime(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds from a decoded row to the model's outputs, one row at a time, without the service around it.

    `absent` says why nothing was measured.
    """

    model: str
    repeats: int = 0
    p50_ms: float | None = None
    p95_ms: float | None = None
    absent: str | None = None


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """Where a run took place, without names."""

    processor: str
    cores: int
    memory_gib: float
    kernel: str
    python: str
    wrk: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    machine: Machine
    started_at: str
    seconds_per_round: float
    rounds: int
    quick: bool
    models: list[ModelResult]
    versions: dict[str, dict[str, str]]
    batch: list[BatchResult] = []
    model_times: list[ModelTime] = []


def summarize(samples: Sequence[Sample]) -> Summary:
    def middle(value: Callable[[Sample], float]) -> float:
        return median(value(sample) for sample in samples)

    return Summary(
        requests_per_second=middle(lambda item: item.requests_per_second),
        p50_ms=middle(lambda item: item.p50_ms),
        p99_ms=middle(lambda item: item.p99_ms),
        request_cpu_us=middle(lambda item: item.request_cpu_us),
        tree_cpu_us=middle(lambda item: item.tree_cpu_us),
        errors=sum(item.status_errors + item.socket_errors for item in samples),
    )
