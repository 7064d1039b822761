"""The report of one run: a single page that needs no network, with every figure and picture a reviewer asks for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from modelkit.definition import ModelDefinition, Task
from training.evaluation.baselines import CONSTANT, LINEAR
from training.evaluation.plots import INK
from training.evaluation.run_facts import COLUMNS, WORDS, RunFacts, number, read_run, size, unit_of
from training.files import read_json
from training.layout import Layout

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A drawing with the sentence that says how to read it. `svg` takes the colour of the text around it."""

    title: str
    says: str
    svg: Markup


def render_report(definition: ModelDefinition, layout: Layout) -> str:
    """HTML. Equal files give an equal page."""
    facts = read_run(definition, layout.servable)
    page = environment().get_template("report.html.j2")
    return page.render(
        definition=definition,
        facts=facts,
        tiles=_tiles(facts),
        figures=_figures(facts),
        pictures=_pictures(definition, layout),
        fate=read_json(layout.report),
        validation=_validation(layout),
    )


def environment() -> Environment:
    """Templates of this package; `number` writes figures for people."""
    found = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["number"] = number
    return found


def _tiles(facts: RunFacts) -> list[tuple[str, str]]:
    """The few figures to see first, in words."""
    definition, second = facts.definition, "r2" if facts.definition.task is Task.REGRESSION else "log_loss"
    tiles = []
    for metric in (facts.main, second):
        (value, validated), unit = facts.headline(metric), unit_of(definition, metric)
        title = f"{WORDS[metric]}, cross-validated" if validated else WORDS[metric]
        tiles.append((title, f"{number(value)} {unit}".strip()))
    for name, title in ((CONSTANT, "less error than a constant"), (LINEAR, "less error than a line")):
        if (gain := facts.gain_over(name)) is not None:
            apart = ", test rows" if facts.headline(facts.main)[1] else ""
            tiles.append((f"{title}{apart}", f"{gain:.0f} %"))
    if (coverage := facts.figure("interval.coverage")) is not None:
        tiles.append((f"covered by intervals, {definition.interval_coverage:.0%} stated", f"{coverage:.1%}"))
    tiles.append(("one answer, 95th percentile", f"{number(facts.figure('latency.p95_ms'))} ms"))
    tiles.append(("size of the graph", size(facts)))
    return tiles


def _figures(facts: RunFacts) -> dict[str, Any]:
    """Titles of the columns, and a row for each figure with its values in words."""
    groups = [(title, facts.group(prefix)) for prefix, title in COLUMNS]
    groups = [(title, group) for title, group in groups if group]
    rows = []
    for metric in groups[0][1]:
        unit = unit_of(facts.definition, metric)
        word = f"{WORDS.get(metric, metric)}, {unit}" if unit else WORDS.get(metric, metric)
        rows.append((word, metric == facts.main, [number(group.get(metric)) for _, group in groups]))
    return {"titles": [title for title, _ in groups], "rows": rows}


def _pictures(definition: ModelDefinition, layout: Layout) -> dict[str, Picture]:
    regression = definition.task is Task.REGRESSION
    said = {
        "answers": (
            "Answers",
            "Each point is a test row; on the line the answer is right."
            if regression
            else "Rows are what was true, columns what was answered.",
        ),
        "calibration": (
            "Calibration",
            "Share of truths inside intervals of each stated coverage; on the line the promise is kept."
            if regression
            else "How often a class was true, by the probability it was given; on the line the promise is kept.",
        ),
        "importance": (
            "Importance",
            "How much worse answers get when one feature is shuffled among the rows.",
        ),
        "over_time": ("Error over time", "Rising error is drift; bias far from zero is a habit."),
        "residuals": (
            "Residuals",
            "Errors beside answers; a pattern is something that the model does not know.",
        ),
        "slices": ("Slices", "The worst parts of the test rows."),
    }
    return {
        name: Picture(title=title, says=says, svg=_inline((layout.pictures / f"{name}.svg").read_text()))
        for name, (title, says) in said.items()
    }


def _inline(svg: str) -> Markup:
    """Without prologue, metadata and fixed size, in the ink of the page. Drawn by `training.evaluation.plots`, so it is safe."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*" height="[^"]*"', r"\1", svg, count=1)
    return Markup(svg.replace(INK, "currentColor"))  # noqa: S704


def _validation(layout: Layout) -> str:
    found = read_json(layout.validation)["findings"]
    failed = sum(not finding["passed"] for finding in found)
    dirty = sum(finding["passed"] and finding["failed"] > 0 for finding in found)
    return f"{len(found)} checks, {failed} failed, {dirty} found dirt within what is tolerated"
