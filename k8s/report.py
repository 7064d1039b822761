"""What a verb has found, and the one renderer of it: text for a terminal of 100 columns, or JSON of a stable shape."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

WIDTH = 100
OURS = "python -m k8s "
SHAPE = 1  # of the JSON; another number when a field changes its meaning or goes away
MARKS = {"ok": "ok     ", "warning": "warning", "failed": "FAILED "}
COLOURS = {"ok": "32", "warning": "33", "failed": "31"}


class Severity(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


ORDER = {Severity.FAILED: 0, Severity.WARNING: 1, Severity.OK: 2}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One answer. `check` is a short stable name, `advice` what to do about it, `command` what to type next."""

    check: str
    severity: Severity
    text: str
    advice: str = ""
    command: str = ""


def ok(check: str, text: str) -> Finding:
    return Finding(check=check, severity=Severity.OK, text=text)


def warning(check: str, text: str, advice: str = "", command: str = "") -> Finding:
    return Finding(check=check, severity=Severity.WARNING, text=text, advice=advice, command=command)


def failed(check: str, text: str, advice: str = "", command: str = "") -> Finding:
    return Finding(check=check, severity=Severity.FAILED, text=text, advice=advice, command=command)


def worst_first(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Ordered by severity; findings of one severity stay in their order."""
    return tuple(sorted(findings, key=lambda finding: ORDER[finding.severity]))


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows under headings; every cell is text."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Report:
    """The whole answer of a verb: 1 is its exit code when something in it has failed.

    `namespace` is put behind the commands of ours that findings tell to type next.
    """

    verb: str
    subject: str
    conclusion: str
    namespace: str = ""
    findings: tuple[Finding, ...] = ()
    tables: tuple[Table, ...] = ()

    @property
    def exit_code(self) -> int:
        return int(any(finding.severity is Severity.FAILED for finding in self.findings))


def placed(report: Report) -> Report:
    """With commands that work as they stand."""
    if not report.namespace:
        return report
    findings = tuple(
        replace(finding, command=f"{finding.command} --namespace {report.namespace}")
        if finding.command.startswith(OURS)
        else finding
        for finding in report.findings
    )
    return replace(report, findings=findings)


def as_json(report: Report) -> str:
    tables = {
        table.name: [dict(zip(table.columns, row, strict=True)) for row in table.rows]
        for table in report.tables
    }
    body = {
        "shape": SHAPE,
        "verb": report.verb,
        "subject": report.subject,
        "ok": report.exit_code == 0,
        "conclusion": report.conclusion,
        "findings": [asdict(finding) for finding in report.findings],
        "tables": tables,
    }
    return json.dumps(body, indent=2, ensure_ascii=False)


def as_text(report: Report, *, colour: bool) -> str:
    lines = [f"{report.verb} {report.subject}".rstrip()]
    for table in report.tables:
        lines += ["", *table_lines(table)]
    if report.findings:
        lines.append("")
    for finding in report.findings:
        lines += _finding_lines(finding, colour=colour)
    return "\n".join([*lines, "", report.conclusion])


def table_lines(table: Table) -> Iterator[str]:
    """Columns as wide as what is in them; the last one takes what is left of the line."""
    header = tuple(name.replace("_", " ").upper() for name in table.columns)
    rows = [header, *table.rows]
    widths = [max(len(row[place]) for row in rows) for place in range(len(header))]
    last = max(20, WIDTH - sum(widths[:-1]) - 2 * (len(widths) - 1))
    for row in rows:
        lead = "".join(cell.ljust(width + 2) for cell, width in zip(row[:-1], widths, strict=False))
        first, *more = textwrap.wrap(row[-1], last) or [""]
        yield (lead + first).rstrip()
        yield from (" " * len(lead) + line for line in more)


def _finding_lines(finding: Finding, *, colour: bool) -> Iterator[str]:
    mark = MARKS[finding.severity]
    painted = f"\x1b[{COLOURS[finding.severity]}m{mark}\x1b[0m" if colour else mark
    first, *more = textwrap.wrap(f"{finding.check}: {finding.text}", WIDTH - len(mark) - 1)
    yield f"{painted} {first}"
    margin = " " * (len(mark) + 1)
    yield from (margin + line for line in more)
    if finding.advice:
        yield from (margin + line for line in textwrap.wrap(f"→ {finding.advice}", WIDTH - len(margin)))
    if finding.command:
        # Never wrapped: a command is copied as a whole.
        yield f"{margin}  $ {finding.command}"
