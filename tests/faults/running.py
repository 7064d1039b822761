"""Runs scenarios on stands: those with equal settings share one, unless a scenario wants its own."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import Self

from tests.faults.peak import measured
from tests.faults.scenario import Finding, Pace, Scenario, Verdict, full_pace
from tests.faults.stand import Servers, Stand, servers, stand

Told = Callable[[str], None]


class Stands(AbstractContextManager["Stands"]):
    """Servers for all, and one stand at a time: the last one is kept for whoever wants the same."""

    def __init__(self) -> None:
        self._all, self._one = ExitStack(), ExitStack()
        self._servers: Servers | None = None
        self._stand: Stand | None = None
        self._settings: object = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.drop()
        self._all.close()

    def run(self, scenario: Scenario, pace: Pace) -> Finding:
        """What breaks in the scenario's own code leaves no stand for the next."""
        try:
            finding = scenario.run(self.of(scenario), pace)
        except BaseException:
            self.drop()
            raise
        if scenario.own_stand:
            self.drop()
        return finding

    def of(self, scenario: Scenario) -> Stand:
        if self._stand is None or scenario.own_stand or self._settings != scenario.settings:
            self.drop()
            if self._servers is None:
                self._servers = self._all.enter_context(servers())
            self._stand = self._one.enter_context(stand(self._servers, scenario.settings))
            self._settings = scenario.settings
        return self._stand

    def drop(self) -> None:
        self._stand = None
        self._one.close()


def one_after_another(
    scenarios: Sequence[Scenario],
    run: Callable[[Scenario], Finding],
    *,
    write: Callable[[Sequence[Finding]], None],
    tell: Told,
) -> list[Finding]:
    """What was found so far is written after each: an hour's findings are not lost with what raises in it."""
    findings: list[Finding] = []
    for scenario in scenarios:
        tell(f"{scenario.name}: {scenario.done}")
        try:
            finding = run(scenario)
        except Exception as error:
            tell("".join(traceback.format_exception(error)))
            finding = did_not_end(scenario.name, error)
        findings.append(finding)
        write(findings)
        for verdict in finding.broken(judged=True):
            tell(f"  does not hold: {verdict.bar}: {verdict.seen}")
    return findings


def did_not_end(name: str, error: Exception) -> Finding:
    """Nothing is known of what clients saw, so nothing is said to hold."""
    return Finding(
        scenario=name,
        verdicts=(Verdict(bar="it ends", seen=f"{type(error).__name__}: {error}", holds=False),),
    )


class AtHalfLoad:
    """Runs scenarios in full. A `rate` of 0 is half of what a stand takes at most, measured before anything breaks."""

    def __init__(self, stands: Stands, *, seconds: float, rate: float, kills: int, tell: Told) -> None:
        self._stands, self._rate, self._tell = stands, rate, tell
        self._seconds, self._kills = seconds, kills
        self.load = f"The load is {rate:.0f} requests a second." if rate else ""

    def __call__(self, scenario: Scenario) -> Finding:
        if not self._rate:
            peak = measured(self._stands.of(scenario).service)
            self._rate, self.load = peak.half, peak.text
            self._tell(self.load)
        return self._stands.run(scenario, full_pace(self._seconds, self._rate, self._kills))
