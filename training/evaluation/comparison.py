"""All models side by side, from what their last runs left on disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from modelkit.definition import Task
from training.evaluation.baselines import CONSTANT, LINEAR
from training.evaluation.report import environment
from training.evaluation.run_facts import RunFacts, number, size, unit_of

TITLES = (
    "model",
    "main figure",
    "vs constant, line",
    "R² or log loss",
    "coverage",
    "latency p95",
    "size",
    "trained on",
    "until",
    "gates",
)
SAYS = (
    "Figures on each model's own test rows, never seen by the model that was judged. Against the constant and the line: by "
    "how many percent the error is smaller (mean absolute error; for classes the share of wrong answers). Coverage: measured, "
    "and what was stated. Cross-validated: the mean over folds of all rows, where test rows are too few to say much; log loss "
    "too then, but not the baselines. Trained on: rows that taught the model that serves, and the day of the last of them."
)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """`rows` in the order of the catalog, cells as text; `missing` are models without a finished run."""

    rows: tuple[tuple[str, ...], ...]
    missing: tuple[str, ...]


def compare_runs(runs: Sequence[RunFacts], missing: Sequence[str]) -> Comparison:
    return Comparison(rows=tuple(_row(facts) for facts in runs), missing=tuple(missing))


def as_text(comparison: Comparison) -> list[str]:
    """Aligned columns for a terminal."""
    table = [TITLES, *comparison.rows]
    widths = [max(len(row[place]) for row in table) for place in range(len(TITLES))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in table]
    return [line.rstrip() for line in lines] + _missing(comparison)


def as_markdown(comparison: Comparison) -> str:
    lines = ["# Models side by side", "", SAYS, "", f"| {' | '.join(TITLES)} |", "|---" * len(TITLES) + "|"]
    lines += [f"| {' | '.join(row)} |" for row in comparison.rows]
    missing = _missing(comparison)
    return "\n".join([*lines, *([""] if missing else []), *missing]) + "\n"


def as_html(comparison: Comparison) -> str:
    page = environment().get_template("comparison.html.j2")
    return page.render(titles=TITLES, says=SAYS, rows=comparison.rows, missing=_missing(comparison))


def _missing(comparison: Comparison) -> list[str]:
    return [f"{name}: not trained yet" for name in comparison.missing]


def _row(facts: RunFacts) -> tuple[str, ...]:
    definition = facts.definition
    second = "r2" if definition.task is Task.REGRESSION else "log_loss"
    coverage = facts.figure("interval.coverage")
    verdict = f"{facts.failed} of {len(facts.gates)} FAILED" if facts.failed else f"{len(facts.gates)} passed"
    return (
        definition.name,
        _main_figure(facts),
        f"{_percent(facts.gain_over(CONSTANT))}, {_percent(facts.gain_over(LINEAR))}",
        number(facts.headline(second)[0]),
        "–" if coverage is None else f"{coverage:.1%} of {definition.interval_coverage:.0%}",
        f"{number(facts.figure('latency.p95_ms'))} ms",
        size(facts),
        number(facts.card.trained_rows),
        (facts.card.trained_until or "–")[:10],
        verdict,
    )


def _main_figure(facts: RunFacts) -> str:
    value, validated = facts.headline(facts.main)
    said = f"{facts.main} {number(value)} {unit_of(facts.definition, facts.main)}".rstrip()
    return f"{said} (cross-validated)" if validated else said


def _percent(value: float | None) -> str:
    return "–" if value is None else f"−{value:.0f} %" if value >= 0 else f"+{-value:.0f} %"
