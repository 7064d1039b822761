"""What a fault scenario is, and what it finds: the words that every room's scenarios and the report share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.faults.stand import Stand

SHORT_RATE = 60.0


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How long a scenario's phases last and how much is asked meanwhile."""

    before: float
    fault: float
    after: float
    rate: float = SHORT_RATE
    judged: bool = (
        False  # whether times are held against their bars; a few seconds on a busy machine say nothing
    )

    kills: int = 0  # of `tests.faults.kills`

    @property
    def total(self) -> float:
        return self.before + self.fault + self.after


# Three kills: BentoML takes ten seconds to replace a worker, which tests/e2e/test_workers.py waits for as well.
SHORT = Pace(before=0.3, fault=1.0, after=0.4, kills=3)


def full_pace(seconds: float, rate: float, kills: int) -> Pace:
    return Pace(
        before=seconds / 3, fault=seconds, after=max(5.0, seconds / 3), rate=rate, judged=True, kills=kills
    )


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A bar, what was seen, and whether that holds; `timing` where it depends on the machine."""

    bar: str
    seen: str
    holds: bool
    timing: bool = False


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a scenario saw. Numbers that a scenario does not look for stay as they are here."""

    scenario: str
    requests: int = 0
    rate: float = 0.0
    failures: Mapping[str, int] = field(default_factory=dict)
    p99_before_ms: float = 0.0
    p99_first_second_ms: float = 0.0
    p99_during_ms: float = 0.0
    p99_after_ms: float = 0.0
    acknowledged: int = 0
    lost: int = 0
    doubled: int = 0
    metrics: Mapping[str, str] = field(default_factory=dict)  # a metric, and what it said
    log_lines: tuple[str, ...] = ()
    verdicts: tuple[Verdict, ...] = ()

    def broken(self, *, judged: bool) -> list[Verdict]:
        """The bars that do not hold; those of time only where they are judged."""
        return [each for each in self.verdicts if not each.holds and (judged or not each.timing)]


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """`run` breaks something on a stand under load, mends it, and says what it saw.

    Scenarios with the same `settings` share one stand, one after the other; one with `own_stand` has it to itself.
    """

    name: str
    dependency: str
    done: str
    behaviour: str  # what is promised: a row of docs/faults.md
    runbook: str  # a file of docs/runbooks
    run: Callable[[Stand, Pace], Finding]
    settings: Mapping[str, str] = field(default_factory=dict)
    own_stand: bool = False
