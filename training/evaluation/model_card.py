"""The model card of one version: the prose that a person wrote, and the figures of the run that it is about."""

from __future__ import annotations

import inspect
from pathlib import Path

from modelkit.definition import ModelDefinition
from training.evaluation.run_facts import COLUMNS, WORDS, RunFacts, number, read_run, size, unit_of
from training.layout import Layout

SHOWN_SLICES = 10


def render_card(definition: ModelDefinition, layout: Layout) -> str:
    """Markdown: `catalog/<model>/CARD.md`, then this version."""
    facts = read_run(definition, layout.servable)
    prose = (Path(inspect.getfile(definition.build)).parent / "CARD.md").read_text().strip()
    parts = [[prose], _provenance(facts), _figures(facts), _gates(facts), _slices(facts)]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _provenance(facts: RunFacts) -> list[str]:
    card = facts.card
    rows = ", ".join(f"{count:,} {name}" for name, count in card.rows.items())
    return [
        "## This version",
        "",
        "| | |",
        "|---|---|",
        f"| Trained | {card.trained_at}, {number(card.training_seconds)} s{_until(facts)} |",
        f"| Commit | `{card.git_sha}` |",
        f"| Prepared rows | `{card.data_hash}` |",
        f"| Rows | {rows} |",
        f"| One answer, 95th percentile | {number(facts.figure('latency.p95_ms'))} ms |",
        f"| Size of the graph | {size(facts)} |",
    ]


def _until(facts: RunFacts) -> str:
    return f", on rows until {facts.card.trained_until}" if facts.card.trained_until else ""


def _figures(facts: RunFacts) -> list[str]:
    groups = [(title, facts.group(prefix)) for prefix, title in COLUMNS]
    groups = [(title, group) for title, group in groups if group]
    lines = ["### Figures", "", f"| | {' | '.join(title for title, _ in groups)} |"]
    lines.append("|---|" + "---|" * len(groups))
    for metric in groups[0][1]:
        unit = unit_of(facts.definition, metric)
        word = WORDS.get(metric, metric) + (f", {unit}" if unit else "")
        lines.append(f"| {word} | {' | '.join(number(group.get(metric)) for _, group in groups)} |")
    for name, value in facts.group("cross_validation.").items():
        lines.append(
            f"| cross-validated {name.replace('_', ' ')} | {number(value)} |{' |' * (len(groups) - 1)}"
        )
    if (coverage := facts.figure("interval.coverage")) is not None:
        stated, width = facts.definition.interval_coverage, number(facts.figure("interval.mean_width"))
        lines += [
            "",
            f"Intervals are stated to hold {stated:.0%} of truths. On the test rows they held {coverage:.1%}, ",
        ]
        lines[-1] += f"at a mean width of {width} {facts.definition.units}."
    return lines


def _gates(facts: RunFacts) -> list[str]:
    verdict = f"{facts.failed} failed" if facts.failed else "all passed"
    return [f"### Gates: {verdict}", "", *(f"- {result.sentence()}" for result in facts.gates)]


def _slices(facts: RunFacts) -> list[str]:
    slices = facts.slices()[:SHOWN_SLICES]
    if not slices:
        return []
    names = list(slices[0][1])
    lines = ["### Worst slices", "", f"| | {' | '.join(name.replace('_', ' ') for name in names)} |"]
    lines.append("|---|" + "---|" * len(names))
    return lines + [
        f"| {slice_} | {' | '.join(number(value) for value in values.values())} |"
        for slice_, values in slices
    ]
