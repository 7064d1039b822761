"""A server in the race: running, with what is measured around each of its rounds."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from http import HTTPStatus

from bench import proc
from bench.contestants import SLIPWAY
from bench.errors import BenchError
from bench.launching import Start
from bench.load import LoadResult, Target, run_wrk
from bench.open_loop import Stream, open_load
from bench.prediction_log import PredictionLog
from bench.results import MISSES, Paced, Sample, ServerFacts
from bench.servers import RunningServer

AGENT_MARK = "serving.agent"
STARTED_MEANWHILE = 16


@dataclass(frozen=True, kw_only=True)
class Round:
    kind: str
    connections: int
    number: int
    seconds: float
    core: int
    pause_ms: int = 0


@dataclass(kw_only=True)
class Entrant:
    """`next_counter` grows with every request sent, so that no body of a round with misses was ever seen before."""

    name: str
    start: Start
    server: RunningServer
    kinds: tuple[str, ...]
    first_answer_seconds: float
    log: PredictionLog | None = None
    next_counter: int = 1000
    busiest: int | None = field(default=None)

    def warm_up(self, core: int) -> None:
        rows = self.log.rows() if self.log else 0
        for kind in self.kinds:
            rows += self._load(Round(kind=kind, connections=16, number=0, seconds=1, core=core)).requests
        self._wait_for_backlog(rows)

    def run(self, what: Round) -> Sample:
        """One round: load, CPU while it ran, then the backlog that it left."""
        rows_before = self.log.rows() if self.log else 0
        before = self.server.tree()
        result = self._load(what)
        after = self.server.tree()
        self.server.check_alive()
        if result.requests == 0:
            raise BenchError(f"{self.name}: no request was answered in {what.seconds:g} s")
        drain = self._wait_for_backlog(rows_before + result.requests)
        spent = {pid: stat.cpu_seconds - _cpu(before, pid) for pid, stat in after.items()}
        rows = self.log.rows() - rows_before if self.log else None
        return Sample(
            server=self.name,
            kind=what.kind,
            connections=what.connections,
            round=what.number,
            requests=result.requests,
            requests_per_second=result.requests_per_second,
            p50_ms=result.p50_us / 1e3,
            p99_ms=result.p99_us / 1e3,
            status_errors=result.status_errors,
            socket_errors=result.socket_errors,
            request_cpu_us=self._request_process_seconds(spent) * 1e6 / result.requests,
            tree_cpu_us=sum(spent.values()) * 1e6 / result.requests,
            agent_us_per_record=self._agent_us(before, rows),
            drain_seconds=drain,
            rows_logged=rows,
        )

    def at_rate(self, rate: float, *, number: int, seconds: float, core: int) -> Paced:
        """One round of arrivals by chance, so many a second, whether or not earlier ones were answered."""
        rows = self.log.rows() if self.log else 0
        stream = Stream(target=self.start.misses, rate=rate, first=self.next_counter)
        (found,) = open_load([stream], seconds=seconds, core=core, seed=number)
        self.next_counter += len(found) + STARTED_MEANWHILE
        answered = sorted(each.seconds for each in found if each.status == HTTPStatus.OK)
        if not answered:
            raise BenchError(f"{self.name}: no request was answered in {seconds:g} s")
        self._wait_for_backlog(rows + len(answered))
        p50, p99 = (1000 * answered[int(share * len(answered))] for share in (0.5, 0.99))
        failed = len(found) - len(answered)
        return Paced(server=self.name, round=number, rate=rate, p50_ms=p50, p99_ms=p99, failed=failed)

    def facts(self) -> ServerFacts:
        """Memory after the load."""
        sizes = {pid: proc.pss_bytes(pid) for pid in self.server.tree()}
        assert self.busiest is not None
        return ServerFacts(
            server=self.name,
            first_answer_seconds=self.first_answer_seconds,
            request_pss_bytes=sizes.get(self.busiest, 0),
            tree_pss_bytes=sum(sizes.values()),
        )

    def _load(self, what: Round) -> LoadResult:
        target: Target = self.start.misses if what.kind == MISSES else self.start.hits
        result = run_wrk(
            replace(target, pause_ms=what.pause_ms),
            connections=what.connections,
            seconds=what.seconds,
            first=self.next_counter,
            core=what.core,
        )
        self.next_counter += result.requests + what.connections * STARTED_MEANWHILE
        return result

    def _wait_for_backlog(self, rows: int) -> float | None:
        drain = self.log.wait_until_shipped(at_least=rows) if self.log else None
        self.server.settle()
        return drain

    def _request_process_seconds(self, spent: dict[int, float]) -> float:
        """The process that answers is the busiest one, the agent apart."""
        serving = {pid: seconds for pid, seconds in spent.items() if AGENT_MARK not in proc.command_line(pid)}
        self.busiest = max(serving, key=lambda pid: serving[pid])
        return serving[self.busiest]

    def _agent_us(self, before: dict[int, proc.ProcessStat], rows: int | None) -> float | None:
        if self.name != SLIPWAY or not rows:
            return None
        agents = [stat for pid, stat in self.server.tree().items() if AGENT_MARK in proc.command_line(pid)]
        return sum(stat.cpu_seconds - _cpu(before, stat.pid) for stat in agents) * 1e6 / rows


def _cpu(stats: dict[int, proc.ProcessStat], pid: int) -> float:
    return stats[pid].cpu_seconds if pid in stats else 0.0
