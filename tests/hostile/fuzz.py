"""The fuzzing itself: so many requests from one seed at a served process, every answer judged, and what it cost it.

HTTP alone. Of gRPC, only the parsing of messages and raw tensors is tried, without a server: `tests.hostile.readers`.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.e2e.running_service import RunningService
from tests.e2e.waiting import until
from tests.front_service import CATALOG
from tests.hostile.answers import NotHttp, all_answers
from tests.hostile.judge import verdict
from tests.hostile.malformed import CORPUS, malformed
from tests.hostile.messages import Message, messages
from tests.hostile.target import MODELS, SCOPES, Condition, condition, paths
from tests.hostile.wire import Line, Said, burst

CHUNK = 2_000
AT_ONCE = 50
MALFORMED_SHARE = 0.4
GROWTH_BYTES = 64 * 1024 * 1024
MAX_FAULTS = 20
# The program that explains starts when it is first asked, and may still be at it when the deadline passes.
SLOW = (504,)
# What a connection that is told nothing more may still leave behind, besides those of the service's own background work.
SPARE_DESCRIPTORS = 16

Tell = Callable[[str], None]


@dataclass(slots=True)
class Report:
    """`faults` are what was wrong, each with the exact bytes that were sent."""

    requests: int = 0
    malformed: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0
    growth_bytes: int = 0

    def found(self, sent: bytes, wrong: list[str]) -> None:
        if wrong and len(self.faults) < MAX_FAULTS:
            self.faults.append(f"{'; '.join(wrong)}\n    {sent[:2000]!r}{' …' * (len(sent) > 2000)}")

    def __str__(self) -> str:
        told = ", ".join(f"{status}: {count}" for status, count in sorted(self.statuses.items()))
        lines = [
            f"{self.requests} requests in {self.seconds:.0f} s, {self.malformed} of them malformed",
            f"answers by status: {told}",
            f"growth of the workers: {self.growth_bytes / 1e6:.1f} MB",
        ]
        return "\n".join([*lines, *(f"FAULT {fault}" for fault in self.faults)])


def fuzz(service: RunningService, *, requests: int, first_seed: int, tell: Tell) -> Report:
    """Asks, judges and looks at the process before and after."""
    report, started = Report(), time.monotonic()
    token = service.token(*SCOPES, ttl_seconds=86_400).encode()
    whole = messages([CATALOG[name] for name in MODELS], paths(), token)
    _warm_up(service, whole, report)
    before, counted = condition(service), Counter(report.statuses)
    for number in _chunks(requests):
        share = int(number * MALFORMED_SHARE)
        asked = _ask(service, whole, number - share, first_seed + report.requests, report)
        _break(service, asked, share, first_seed + report.requests, report)
        tell(f"{report.requests} requests, {len(report.faults)} faults, {time.monotonic() - started:.0f} s")
    report.seconds = time.monotonic() - started
    _compare(service, before, report, report.statuses - counted)
    return report


def _chunks(requests: int) -> Iterator[int]:
    yield from [CHUNK] * (requests // CHUNK)
    if requests % CHUNK:
        yield requests % CHUNK


def _warm_up(service: RunningService, whole: Any, report: Report) -> None:
    """Everything that a worker imports when it is first asked for it is not growth. The corpus belongs to every run."""
    _judge_burst(report, list(CORPUS.values()), burst(service.api_port, list(CORPUS.values()), patience=12))
    _break(service, _ask(service, whole, 300, 0, report), 100, 0, report)


def _ask(service: RunningService, whole: Any, number: int, seeded: int, report: Report) -> list[Message]:
    """What was asked."""
    asked: list[Message] = []
    with Line(service.api_port) as line:

        def each(message: Message) -> None:
            raw = message.raw()
            asked.append(message)
            report.requests += 1
            try:
                answer = line.ask(raw, to=message.method)
            except (NotHttp, OSError) as error:
                line.close()
                return report.found(raw, [f"{type(error).__name__}: {error}"])
            report.statuses[answer.status] += 1
            may = SLOW if message.target.startswith(b"/explain/") else ()
            report.found(raw, verdict(answer, to=message.method, may=may))

        drawn(whole, each, number, seeded)
    return asked


def _break(service: RunningService, asked: list[Message], number: int, seeded: int, report: Report) -> None:
    """What was asked before, damaged: to make up new requests for it would take twice the time."""
    sent: list[bytes] = []

    def each(raw: bytes) -> None:
        sent.append(raw)
        if len(sent) == AT_ONCE:
            _judge_burst(report, sent, burst(service.api_port, sent))
            sent.clear()

    drawn(malformed(st.sampled_from(asked)), each, number, seeded)
    _judge_burst(report, sent, burst(service.api_port, sent))


def _judge_burst(report: Report, sent: list[bytes], said: list[Said]) -> None:
    """What is cut off because we left is no fault; what is said is."""
    for raw, each in zip(sent, said, strict=True):
        report.requests += 1
        report.malformed += 1
        try:
            answers = all_answers(each.data, heads=b"HEAD" in raw)
        except (NotHttp, ValueError) as error:
            report.found(raw, [] if each.reset else [str(error)])
            continue
        for answer in answers:
            report.statuses[answer.status] += 1
            report.found(raw, verdict(answer, to="GET" if answer.body or b"HEAD" not in raw else "HEAD"))


def drawn(strategy: st.SearchStrategy[Any], each: Callable[[Any], None], number: int, seeded: int) -> None:
    """Calls `each` with so many examples; the same ones for the same seed."""

    @seed(seeded)
    @settings(
        max_examples=max(1, number),
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def all_of_them(example: Any) -> None:
        each(example)

    all_of_them()


def _compare(service: RunningService, before: Condition, report: Report, seen: Counter[int]) -> None:
    """The process is the same one, and no larger than it was."""

    def settled() -> bool:
        return condition(service).descriptors <= before.descriptors + SPARE_DESCRIPTORS

    until(settled, seconds=30, what="connections are gone")
    after = condition(service)
    report.growth_bytes = after.pss_bytes - before.pss_bytes
    if after.workers != before.workers:
        report.faults.append("a worker died")
    if report.growth_bytes > GROWTH_BYTES:
        report.faults.append(f"the workers grew by {report.growth_bytes / 1e6:.0f} MB")
    for status, count in after.statuses.items():
        told = count - before.statuses.get(status, 0)
        if status >= 500 and told > seen[status]:
            report.faults.append(f"the service counted {told:.0f} answers of {status}")
        elif told < seen[status]:
            report.faults.append(f"it counted {told:.0f} answers of {status}, and gave {seen[status]}")
