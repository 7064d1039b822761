"""One event loop on simulated time: it reads what has come, refuses beyond the limit, computes the rest together, and answers."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from serving.overload.limit import AdaptiveLimit, Bounds, Window

BOUNDS = Bounds(floor=2, cap=512, seconds=0.025)
MOST_ROWS = 64
MOST_WAITING = 1000  # connections
WINDOW_SECONDS = 0.25

Rate = Callable[[float], float]


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Seconds: of a call of the model, of each row in it, of what HTTP takes of an answer and of a refusal."""

    call: float = 0.0
    row: float
    http: float = 35e-6
    refusal: float = 60e-6

    def together(self, rows: int) -> float:
        return self.call + (self.row + self.http) * rows

    @property
    def capacity(self) -> float:
        return MOST_ROWS / (self.together(MOST_ROWS) + MOST_ROWS * self.http)


@dataclass
class Seen:
    """Latencies of what was answered and of what was refused, by when that was; and the limit over time."""

    answered: list[tuple[float, float]] = field(default_factory=list)
    refused: list[tuple[float, float]] = field(default_factory=list)
    limits: list[tuple[float, float]] = field(default_factory=list)

    def goodput(self, since: float, until: float) -> float:
        return sum(since <= at < until for at, _ in self.answered) / (until - since)

    def p99(self, since: float, until: float) -> float:
        found = sorted(latency for at, latency in self.answered if since <= at < until)
        return found[int(0.99 * len(found))]

    def refusals(self, since: float, until: float) -> int:
        return sum(since <= at < until for at, _ in self.refused)

    def lowest(self, since: float, until: float) -> float:
        return min(limit for at, limit in self.limits if since <= at < until)


class SimulatedLoop:
    """`slower` says by how much everything is slower at a time."""

    def __init__(self, costs: Costs, rate: Rate, *, slower: Rate = lambda at: 1.0, seed: int = 1) -> None:
        self.costs, self._rate, self._slower = costs, rate, slower
        self._chance = random.Random(seed)
        self.limit, self.seen = AdaptiveLimit(BOUNDS), Seen()
        self.now, self._next = 0.0, self._chance.expovariate(rate(0.0))
        self._queue: list[tuple[float, float]] = []
        self._answering: list[tuple[float, float]] = []
        self._begin()

    def run(self, seconds: float) -> Seen:
        while self.now < seconds:
            arrived = self._read()
            if not (arrived or self._queue or self._answering):
                self.now = self._next
                continue
            before = self.now
            for at in arrived:
                self._admit(at)
            self._answer()
            self._compute()
            self._cpu += self.now - before
            self._judge()
        return self.seen

    def _read(self) -> list[float]:
        arrived: list[float] = []
        while self._next <= self.now:
            if len(arrived) < MOST_WAITING:
                arrived.append(self._next)
            self._next += self._chance.expovariate(self._rate(self._next))
        return arrived

    def _admit(self, at: float) -> None:
        if len(self._queue) + len(self._answering) >= int(self.limit.value):
            self._spend(self.costs.refusal)
            self._refused += 1
            self.seen.refused.append((self.now, self.now - at))
        else:
            self._spend(self.costs.http)
            self._queue.append((at, self.now))

    def _answer(self) -> None:
        """What was computed in the turn before: it counts for the limit until here."""
        for at, since in self._answering:
            self.seen.answered.append((self.now, self.now - at))
            self._latencies.append(self.now - at)
            self._in_progress += self.now - since
        self._answering = []

    def _compute(self) -> None:
        if self._queue:
            self._answering, self._queue = self._queue[:MOST_ROWS], self._queue[MOST_ROWS:]
            self._spend(self.costs.together(len(self._answering)))

    def _spend(self, seconds: float) -> None:
        self.now += seconds * self._slower(self.now)

    def _begin(self) -> None:
        self._since, self._cpu, self._in_progress, self._refused = self.now, 0.0, 0.0, 0
        self._latencies: list[float] = []

    def _judge(self) -> None:
        seconds, answered = self.now - self._since, len(self._latencies)
        if seconds < WINDOW_SECONDS or not answered:
            return
        self.limit.observe(
            Window(
                seconds=seconds,
                busy=self._cpu / seconds,
                cpu_seconds=self._cpu,
                answered=answered,
                refused=self._refused,
                latency=sum(self._latencies) / answered,
                in_progress=self._in_progress / seconds,
            )
        )
        self.seen.limits.append((self.now, self.limit.value))
        self._begin()
