"""A good mean can hide a part of the rows that is answered badly: figures for each part, and the worst of them."""

from __future__ import annotations

import pandas as pd

from modelkit.definition import ModelDefinition, Task
from training.evaluation.diagnostics import Judged
from training.evaluation.scores import main_metric, score, score_intervals, slices_of

Figures = dict[str, float]


def score_slices(judged: Judged, min_rows: int) -> dict[str, Figures]:
    """The main figure, the rows and, where there are intervals, their coverage and width."""
    definition, main = judged.definition, main_metric(judged.definition)
    found = {}
    for name, mask in slices_of(judged.rows, definition, min_rows):
        labels = judged.labels[mask]
        figures = {main: score(definition, labels, judged.outputs[mask])[main], "rows": int(mask.sum())}
        if judged.bounds is not None:
            figures |= score_intervals(labels, judged.bounds[mask])
        found[name] = figures
    return found


def worst_slice(definition: ModelDefinition, slices: dict[str, Figures]) -> Figures:
    main = main_metric(definition)
    figures = [figure[main] for figure in slices.values()]
    worst = max if definition.task is Task.REGRESSION else min
    return {main: worst(figures)} if figures else {}


def slices_table(definition: ModelDefinition, slices: dict[str, Figures]) -> pd.DataFrame:
    """Worst first."""
    main = main_metric(definition)
    table = pd.DataFrame([{"slice": name, **figures} for name, figures in slices.items()])
    if table.empty:
        return pd.DataFrame({"slice": [], main: [], "rows": []})
    best_first = definition.task is Task.CLASSIFICATION
    return table.sort_values([main, "slice"], ascending=[best_first, True], ignore_index=True)
