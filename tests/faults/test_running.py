"""That `make faults` ends with its page, whatever happens in a scenario."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.faults.peak import Peak
from tests.faults.report import page
from tests.faults.running import one_after_another
from tests.faults.scenario import Finding, Scenario, Verdict

HELD = Verdict(bar="0 lost records", seen="0", holds=True)


def scenario(name: str) -> Scenario:
    return Scenario(
        name=name,
        dependency="Redis",
        done="something",
        behaviour="nothing",
        runbook="none",
        run=lambda stand, pace: Finding(scenario=name),
    )


SCENARIOS = [scenario(name) for name in ("first", "second", "third")]


def run(one: Scenario) -> Finding:
    if one.name == "second":
        raise AssertionError("not within 60 s:\n/readyz says 200 | or not")
    return Finding(scenario=one.name, verdicts=(HELD,))


def test_a_scenario_that_raises_is_a_finding_and_the_page_is_written_after_each() -> None:
    pages: list[str] = []
    told: list[str] = []

    def write(findings: Sequence[Finding]) -> None:
        pages.append(page(SCENARIOS, findings, judged=True))

    findings = one_after_another(SCENARIOS, run, write=write, tell=told.append)
    assert [bool(each.broken(judged=True)) for each in findings] == [False, True, False]
    assert len(pages) == 3
    assert "1 of 2 miss a bar: second**, and 1 of 3 scenarios have not run" in pages[1]
    (row,) = [line for line in pages[-1].splitlines() if line.startswith("| Redis: second")]
    assert "it ends: AssertionError: not within 60 s: /readyz says 200 \\| or not" in row
    assert any("Traceback" in each for each in told)


def test_whoever_interrupts_it_ends_it() -> None:
    def interrupted(one: Scenario) -> Finding:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        one_after_another(SCENARIOS, interrupted, write=lambda found: None, tell=lambda text: None)


@pytest.mark.parametrize(
    ("peak", "half", "words"),
    [
        (Peak(wrk=3000, own=2500), 1500, "50% of the peak of 3000 a second"),
        (Peak(wrk=9000, own=2000), 1400, "16% of the peak of 9000 a second"),
        (Peak(wrk=0, own=2000), 1000, "without wrk the peak is not known"),
    ],
    ids=["half", "beyond our generator", "without wrk"],
)
def test_the_page_says_what_half_load_is_half_of(peak: Peak, half: float, words: str) -> None:
    assert peak.half == half
    assert words in page(SCENARIOS, [], judged=True, load=peak.text)
