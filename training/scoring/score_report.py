"""The score of a later slice for the terminal and as files."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelkit.definition import ModelDefinition, Task
from training.files import write_json
from training.promotion.promoted import Chosen
from training.scoring.later_slice import LaterSlice
from training.scoring.slice_score import SliceScore

REGRESSION = ("mae", "rmse", "r2", "median_abs_error", "bias", "interval_coverage", "interval_mean_width")
CLASSIFICATION = ("accuracy", "log_loss", "macro_f1", "brier", "calibration_error")
SHOWN_REASONS = 3


@dataclass(frozen=True, kw_only=True)
class Scored:
    """What was scored on what."""

    definition: ModelDefinition
    chosen: Chosen
    slice: LaterSlice
    score: SliceScore


def lines_of(scored: Scored) -> list[str]:
    """First what was answered, then the figures, then each part."""
    score, found = scored.score, scored.slice
    lines = [f"{scored.chosen.source}: {score.answered} of {score.rows} rows answered"]
    times = found.rows["time"].dropna()
    if len(times):
        lines.append(f"  from {times.min()} to {times.max()}")
    if found.known:
        lines.append(f"  {found.known} rows left out: the known data holds them already")
    lines += [
        f"  {file.name}: {file.added} rows added, {file.equal} known already, {file.replaced} replaced"
        for file in found.merged
    ]
    lines += [f"  {note}" for note in found.notes]
    for word, counted in (
        ("optional values left out", score.sent.dropped),
        ("required values moved to their bound", score.sent.clamped),
        ("rows REFUSED", score.sent.refused),
    ):
        lines += _counted(word, counted)
    names = _columns(scored.definition, score)
    lines += ["", *_table("", score.figures, names)]
    return lines + (["", *_table("part", score.parts, names)] if score.parts else [])


def write_score(scored: Scored, path: Path) -> None:
    """JSON with every figure, and the predictions as CSV beside it."""
    score, found = scored.score, scored.slice
    content: dict[str, Any] = {
        "model": scored.definition.name,
        "units": scored.definition.units,
        "source": scored.chosen.source,
        "servable": scored.chosen.servable.digest,
        "rows": {"slice": score.rows, "answered": score.answered, "known_left_out": found.known},
        "values_left_out": dict(score.sent.dropped),
        "values_clamped": dict(score.sent.clamped),
        "refused": dict(score.sent.refused),
        "notes": list(found.notes),
        "figures": score.figures,
        "parts": score.parts,
    }
    write_json(path, content)
    score.answers.to_csv(path.with_suffix(".csv"), index=False, float_format="%.6g")


def _counted(word: str, counted: Counter[str]) -> list[str]:
    if not counted:
        return []
    reasons = "; ".join(f"{name} ({count})" for name, count in counted.most_common(SHOWN_REASONS))
    return [f"  {counted.total()} {word}: {reasons}"]


def _columns(definition: ModelDefinition, score: SliceScore) -> list[str]:
    wanted = REGRESSION if definition.task is Task.REGRESSION else CLASSIFICATION
    return ["rows", *(name for name in wanted if name in score.figures["all rows"])]


def _table(title: str, figures: dict[str, dict[str, float]], names: list[str]) -> list[str]:
    width = max(len(title), *(len(name) for name in figures))
    columns = [max(len(name), 9) for name in names]
    head = "  ".join(name.rjust(size) for name, size in zip(names, columns, strict=True))
    lines = [f"  {title:<{width}}  {head}"]
    for name, values in figures.items():
        cells = (f"{values[key]:.5g}".rjust(size) for key, size in zip(names, columns, strict=True))
        lines.append(f"  {name:<{width}}  {'  '.join(cells)}")
    return lines
