"""The comparison with quick models for a terminal, and as one page of all models that were compared so far."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from training.evaluation.quick_models import Compared, Comparison
from training.evaluation.run_facts import number, unit_of
from training.files import read_json, write_json

TITLES = ("quick model", "its figure", "ours", "our error is smaller by", "asked", "verdict")
SAYS = (
    "Quick models are what anybody would try first, neither crippled nor tuned, on the fields that a caller sends. In brackets: "
    "nine in ten draws of the judged rows. For classes the error is the share of wrong answers."
)


def lines_of(comparison: Comparison) -> list[str]:
    """Aligned columns for a terminal."""
    table = [TITLES, *_cells(comparison)]
    widths = [max(len(row[place]) for row in table) for place in range(len(TITLES))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in table]
    return [line.rstrip() for line in lines] + _missing(comparison.missing)


def verdict_of(comparison: Comparison) -> str:
    asked = [line for line in comparison.lines if line.needed is not None]
    missed = sum(not line.reached for line in asked)
    reached = f"{len(asked) - missed} of {len(asked)} bars reached"
    return f"{reached}, on {comparison.judged_on}"


def keep(comparison: Comparison, page: Path) -> None:
    """Into the page and the figures beside it; what they say of other models stays."""
    figures = page.with_suffix(".json")
    known: dict[str, Any] = read_json(figures) if figures.exists() else {}
    known[comparison.definition.name] = {
        "metric": comparison.metric,
        "judged_on": comparison.judged_on,
        "verdict": verdict_of(comparison),
        "lines": [asdict(line) | {"reached": line.reached} for line in comparison.lines],
        "cells": [list(row) for row in _cells(comparison)],
        "missing": list(comparison.missing),
    }
    write_json(figures, known)
    page.write_text(_page(known))


def _page(known: dict[str, Any]) -> str:
    lines = ["# Beside quick models", "", SAYS]
    for name, found in sorted(known.items()):
        lines += ["", f"## {name}", "", f"{found['metric']}: {found['verdict']}.", ""]
        lines += [f"| {' | '.join(TITLES)} |", "|---" * len(TITLES) + "|"]
        lines += [f"| {' | '.join(row)} |" for row in found["cells"]]
        lines += ["", *missing] if (missing := _missing(found["missing"])) else []
    return "\n".join(lines) + "\n"


def _cells(comparison: Comparison) -> list[tuple[str, ...]]:
    return [_row(comparison, line) for line in comparison.lines]


def _row(comparison: Comparison, line: Compared) -> tuple[str, ...]:
    unit = unit_of(comparison.definition, comparison.metric)
    gain, band = line.gain, ""
    if gain.low is not None and gain.high is not None:
        band = f" ({100 * gain.low:+.1f} to {100 * gain.high:+.1f})"
    return (
        line.name,
        f"{comparison.metric} {number(line.theirs)} {unit}".rstrip(),
        number(line.ours) + (", required fields only" if line.required_only else ""),
        f"{100 * gain.share:+.1f} %{band}",
        "–" if line.needed is None else f"{100 * line.needed:+.0f} %",
        "–" if line.needed is None else "reached" if line.reached else "MISSED",
    )


def _missing(models: Any) -> list[str]:
    return [f"{name} is not trained yet: not compared" for name in models]
