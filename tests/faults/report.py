"""The findings as one page: what was done, what clients saw, what was lost, what told, and whether the bars hold."""

from __future__ import annotations

from collections.abc import Sequence

from tests.faults.scenario import Finding, Scenario, Verdict

LONGEST_CELL = 1000
HEAD = """# Faults

What was done to a served instance under load, what its clients saw, and what was lost. `docs/faults.md` says how to read it.
{load}

p99 is given in milliseconds: before → in the first second → during the rest → after.

| scenario | what was done | requests | failed | p99 | acknowledged | lost | doubled | bars |
|---|---|--:|--:|---|--:|--:|--:|---|
"""


def page(scenarios: Sequence[Scenario], findings: Sequence[Finding], *, judged: bool, load: str = "") -> str:
    named = {scenario.name: scenario for scenario in scenarios}
    rows = [_row(named[finding.scenario], finding, judged=judged) for finding in findings]
    told = [_told(named[finding.scenario], finding) for finding in findings]
    broken = [finding.scenario for finding in findings if finding.broken(judged=judged)]
    verdict = (
        f"**{len(broken)} of {len(findings)} miss a bar: {', '.join(broken)}**"
        if broken
        else "**all bars hold**"
    )
    if len(findings) < len(scenarios):
        verdict += f", and {len(scenarios) - len(findings)} of {len(scenarios)} scenarios have not run"
    return (
        HEAD.format(load=load)
        + "\n".join(rows)
        + f"\n\n{verdict}\n\n## What told\n\n"
        + "\n".join(told)
        + "\n"
    )


def _row(scenario: Scenario, finding: Finding, *, judged: bool) -> str:
    latencies = " → ".join(
        f"{value:.1f}"
        for value in (
            finding.p99_before_ms,
            finding.p99_first_second_ms,
            finding.p99_during_ms,
            finding.p99_after_ms,
        )
    )
    failed = sum(finding.failures.values())
    cells = [
        f"{scenario.dependency}: {scenario.name}",
        scenario.done,
        f"{finding.requests} at {finding.rate:.0f}/s",
        f"{failed} {dict(finding.failures)}" if failed else "0",
        latencies,
        str(finding.acknowledged),
        str(finding.lost),
        str(finding.doubled),
        _bars(finding.broken(judged=judged)),
    ]
    return f"| {' | '.join(map(_cell, cells))} |"


def _cell(text: str) -> str:
    """On one line, and of bounded length: what raised may have a log to tell."""
    return " ".join(text.split()).replace("|", "\\|")[:LONGEST_CELL]


def _bars(broken: Sequence[Verdict]) -> str:
    return "; ".join(f"**{each.bar}: {each.seen}**" for each in broken) if broken else "hold"


def _told(scenario: Scenario, finding: Finding) -> str:
    """A paragraph: the promise, the bars in full, the metrics that moved and the lines that were logged."""
    lines = [f"**{scenario.name}** ({scenario.behaviour}; docs/runbooks/{scenario.runbook})", ""]
    lines += [f"- {each.bar}: {_cell(each.seen)}" for each in finding.verdicts]
    lines += [f"- `{metric}`: {value}" for metric, value in finding.metrics.items()]
    lines += [f"- `{line.strip()[:300]}`" for line in finding.log_lines]
    return "\n".join([*lines, ""])
