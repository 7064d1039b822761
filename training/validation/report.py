"""The validation of one model's data as a page to read and a file to compare."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pandas as pd

from modelkit.definition import ModelDefinition
from training.errors import DataInvalid
from training.files import write_json
from training.frames import to_columns
from training.layout import Layout
from training.validation.findings import Finding

SHOWN_FAILURES = 5


def write_report(
    definition: ModelDefinition,
    layout: Layout,
    findings: Sequence[Finding],
    rows: pd.DataFrame | None = None,
) -> None:
    """`validation.json` and `validation.md`, failures first; columns of the rows where there are rows already."""
    ordered = sorted(findings, key=lambda finding: (finding.passed, -finding.share))
    written = [dataclasses.asdict(finding) | {"passed": finding.passed} for finding in ordered]
    write_json(layout.validation, {"model": definition.name, "findings": written})
    lines = [f"# Data of {definition.name}", "", _verdict(ordered), "", *_table(ordered)]
    if rows is not None:
        lines += ["", "## Columns", "", *_columns(definition, rows)]
    layout.validation.with_suffix(".md").write_text("\n".join(lines) + "\n")


def refuse_failures(definition: ModelDefinition, layout: Layout, findings: Sequence[Finding]) -> None:
    """Raises DataInvalid, naming the first failures, when there are any."""
    failed = [finding.sentence() for finding in findings if not finding.passed]
    if failed:
        more = f"; and {len(failed) - SHOWN_FAILURES} more" if len(failed) > SHOWN_FAILURES else ""
        said = "; ".join(failed[:SHOWN_FAILURES])
        page = layout.validation.with_suffix(".md")
        raise DataInvalid(f"the data of {definition.name} is refused: {said}{more}. See {page}")


def _verdict(findings: Sequence[Finding]) -> str:
    failed = sum(not finding.passed for finding in findings)
    dirty = sum(finding.passed and finding.failed > 0 for finding in findings)
    return f"{len(findings)} checks: {failed} failed, {dirty} found dirt within tolerance."


def _table(findings: Sequence[Finding]) -> list[str]:
    lines = ["| | Subject | Check | Failing rows | Tolerated | Example |", "|---|---|---|---|---|---|"]
    for finding in findings:
        mark = "FAILED" if not finding.passed else "dirt" if finding.failed else "ok"
        example = finding.example.replace("|", "\\|")
        lines.append(
            f"| {mark} | {finding.subject} | {finding.check.replace('|', '/')} "
            f"| {finding.failed} of {finding.rows} ({finding.share:.2%}) | {finding.tolerated:.1%} | {example} |"
        )
    return lines


def _columns(definition: ModelDefinition, rows: pd.DataFrame) -> list[str]:
    """Missing share and range of every prepared column."""
    lines = ["| Column | Missing | Distinct | Smallest | Median | Largest |", "|---|---|---|---|---|---|"]
    columns = {name: pd.Series(values) for name, values in to_columns(rows, definition.row).items()}
    for name, column in (columns | {"label": rows["label"]}).items():
        present = column.dropna()
        low = middle = high = ""
        if len(present) and pd.api.types.is_numeric_dtype(present):
            low, middle, high = (f"{present.quantile(share):.6g}" for share in (0, 0.5, 1))
        elif len(present) and pd.api.types.is_datetime64_any_dtype(present):
            low, high = str(present.min()), str(present.max())
        lines.append(
            f"| {name} | {column.isna().mean():.1%} | {present.nunique()} | {low} | {middle} | {high} |"
        )
    return lines
