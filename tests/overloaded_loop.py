"""One event loop on simulated time: it reads what has come, refuses beyond the limit, computes the rest together, and answers.

Requests for many rows are computed slice by slice, one slice of one of them a turn, beside the requests for one row.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from serving.overload.limit import AdaptiveLimit, Bounds, Window

BOUNDS = Bounds(floor=2, cap=512, seconds=0.025)
MOST_ROWS = 64
SLICE_ROWS, SLICE_SECONDS, LEAST_ROWS = 32, 0.0005, 8
MOST_WAITING = 1000  # connections
WINDOW_SECONDS, LONGEST_SECONDS, ENOUGH = 0.25, 2.0, 8
PATIENCE_SECONDS = 5.0

Rate = Callable[[float], float]
Rows = Callable[[random.Random, float], int]


def one_row(chance: random.Random, at: float) -> int:
    return 1


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Seconds: of a call of the model, of each row in it, of what HTTP takes of an answer, of a further row in one, and of a
    refusal.
    """

    call: float = 0.0
    row: float
    http: float = 35e-6
    http_row: float = 10e-6
    refusal: float = 60e-6

    def together(self, rows: int) -> float:
        return self.call + (self.row + self.http) * rows

    @property
    def capacity(self) -> float:
        return MOST_ROWS / (self.together(MOST_ROWS) + MOST_ROWS * self.http)

    @property
    def slice_rows(self) -> int:
        return max(LEAST_ROWS, min(SLICE_ROWS, int(SLICE_SECONDS / (self.row + self.call / LEAST_ROWS))))

    def slice(self, rows: int) -> float:
        return self.call + (self.row + self.http_row) * rows

    def many(self, rows: int) -> float:
        """All slices of a request and what HTTP takes of it."""
        full, rest = divmod(rows, self.slice_rows)
        return 2 * self.http + full * self.slice(self.slice_rows) + (self.slice(rest) if rest else 0.0)


@dataclass
class Seen:
    """Latencies of what was answered and of what was refused, by when that was; when an answer came too late for anybody; and
    the limit over time.
    """

    answered: list[tuple[float, float]] = field(default_factory=list)
    refused: list[tuple[float, float]] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
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


@dataclass
class _Request:
    """When it came, how many rows it asks for and how many of them are still to be computed."""

    at: float
    rows: int
    left: int


class SimulatedLoop:
    """`slower` says by how much everything is slower at a time, `share` how much of a core the loop gets, and `rows` how many a
    request asks for.
    """

    def __init__(
        self,
        costs: Costs,
        rate: Rate,
        *,
        slower: Rate = lambda at: 1.0,
        share: Rate = lambda at: 1.0,
        rows: Rows = one_row,
        seed: int = 1,
    ) -> None:
        self.costs, self._rate, self._slower, self._share, self._rows = costs, rate, slower, share, rows
        self._chance = random.Random(seed)
        self.limit, self.seen = AdaptiveLimit(BOUNDS), Seen()
        self.now, self._next = 0.0, self._chance.expovariate(rate(0.0))
        self._queue: list[_Request] = []
        self._answering: list[_Request] = []
        self._many: deque[_Request] = deque()
        self._begin()

    def run(self, seconds: float) -> Seen:
        while self.now < seconds:
            arrived = self._read()
            if not (arrived or self._queue or self._answering or self._many):
                self.now = self._next
                continue
            before = self.now
            for at in arrived:
                self._admit(at)
            self._answer()
            in_progress = self._in_progress
            self._compute()
            self._seen += in_progress * (self.now - before)
            self._judge()
        return self.seen

    def _read(self) -> list[float]:
        arrived: list[float] = []
        while self._next <= self.now:
            if len(arrived) < MOST_WAITING:
                arrived.append(self._next)
            self._next += self._chance.expovariate(self._rate(self._next))
        return arrived

    @property
    def _in_progress(self) -> int:
        return len(self._queue) + len(self._answering) + len(self._many)

    def _admit(self, at: float) -> None:
        rows = self._rows(self._chance, at)
        if self._in_progress >= int(self.limit.value):
            self._spend(self.costs.refusal)
            self._refused += 1
            self.seen.refused.append((self.now, self.now - at))
            return
        self._spend(self.costs.http)
        self._admitted.append(rows)
        (self._queue if rows == 1 else self._many).append(_Request(at, rows, rows))

    def _answer(self) -> None:
        """What was computed in the turn before: it counts for the limit until here."""
        for request in self._answering:
            self._ended(request)
            self.seen.answered.append((self.now, self.now - request.at))
        self._answering = []

    def _ended(self, request: _Request) -> None:
        (self._singles if request.rows == 1 else self._manys).append(self.now - request.at)
        self._waited += request.rows

    def _compute(self) -> None:
        if self._queue:
            self._answering, self._queue = self._queue[:MOST_ROWS], self._queue[MOST_ROWS:]
            self._spend(self.costs.together(len(self._answering)))
            self._answered += len(self._answering)
        if self._many:
            self._slice(self._many.popleft())

    def _slice(self, request: _Request) -> None:
        if self.now - request.at > PATIENCE_SECONDS:
            self.seen.late.append(self.now)
            self._ended(request)
            return
        rows = min(request.left, self.costs.slice_rows)
        self._spend(self.costs.slice(rows))
        request.left -= rows
        self._answered += rows
        (self._many if request.left else self._answering).append(request)

    def _spend(self, seconds: float) -> None:
        seconds *= self._slower(self.now)
        waited = seconds / self._share(self.now) - seconds
        self.now += seconds + waited
        self._cpu += seconds
        self._starved += waited

    def _begin(self) -> None:
        self._since, self._cpu, self._starved, self._seen = self.now, 0.0, 0.0, 0.0
        self._refused = self._answered = self._waited = 0
        self._admitted: list[int] = []
        self._singles: list[float] = []
        self._manys: list[float] = []

    def _judge(self) -> None:
        seconds, ended = self.now - self._since, len(self._singles) + len(self._manys)
        if seconds < WINDOW_SECONDS or (self._answered < ENOUGH and seconds < LONGEST_SECONDS):
            return
        waited = self._singles or self._manys
        self.limit.observe(
            Window(
                seconds=seconds,
                busy=(self._cpu + self._starved) / seconds,
                cpu_seconds=self._cpu,
                starved=self._starved,
                answered=self._answered,
                refused=self._refused,
                latency=sum(waited) / len(waited) if waited else 0.0,
                in_progress=self._seen / seconds,
                rows_each=sum(self._admitted) / len(self._admitted) if self._admitted else 0.0,
                rows_waited=1.0 if self._singles or not ended else self._waited / ended,
            )
        )
        self.seen.limits.append((self.now, self.limit.value))
        self._begin()
