"""Stage 6: what the other stages found, for people: a page and the model card of this version."""

from __future__ import annotations

from modelkit.definition import ModelDefinition
from training.evaluation.model_card import render_card
from training.evaluation.report import render_report
from training.layout import Layout
from training.params import ModelParams


def report(definition: ModelDefinition, _params: ModelParams, layout: Layout) -> str:
    """Writes `report.html` and `CARD.md`."""
    layout.page.write_text(render_report(definition, layout))
    layout.card.write_text(render_card(definition, layout))
    return f"{layout.page} and {layout.card.name}"
