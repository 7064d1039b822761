"""Runs scenarios on stands: those with equal settings share one, unless a scenario wants its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import Self

from tests.faults.load import peak_rate
from tests.faults.scenario import Finding, Pace, Scenario, full_pace
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


def run_all(
    scenarios: Sequence[Scenario], *, seconds: float, rate: float, kills: int, tell: Told
) -> list[Finding]:
    """In full. A `rate` of 0 is half of what the first stand takes at most, measured before anything breaks."""
    findings = []
    with Stands() as stands:
        for scenario in scenarios:
            if not rate:
                rate = peak_rate(stands.of(scenario).service) / 2
                tell(f"half load is {rate:.0f} requests a second")
            tell(f"{scenario.name}: {scenario.done}, for {seconds:.0f} s")
            findings.append(finding := stands.run(scenario, full_pace(seconds, rate, kills)))
            for verdict in finding.broken(judged=True):
                tell(f"  does not hold: {verdict.bar}: {verdict.seen}")
    return findings
