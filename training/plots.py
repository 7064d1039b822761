"""The evaluation as pictures: CSV for `dvc plots`, PNG for the eye."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from modelkit.definition import ModelDefinition, Task
from training.scores import Array

SHOWN_ROWS = 500


def write_plots(definition: ModelDefinition, labels: Array, outputs: Array, folder: Path) -> None:
    """`answers.csv` for every task; `answers.png` shows the same rows."""
    folder.mkdir(parents=True, exist_ok=True)
    if definition.task is Task.REGRESSION:
        predicted = outputs[:, 0]
    else:
        predicted = np.asarray(definition.classes)[outputs.argmax(axis=1)]
    answers = pd.DataFrame({"actual": labels, "predicted": predicted}).iloc[-SHOWN_ROWS:]
    answers.to_csv(folder / "answers.csv", index=False)
    figure = Figure(figsize=(6, 6))
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    if definition.task is Task.REGRESSION:
        axes.scatter(answers["actual"], answers["predicted"], s=8, alpha=0.5)
        axes.axline((answers["actual"].min(), answers["actual"].min()), slope=1, color="grey")
    else:
        table = pd.crosstab(answers["actual"], answers["predicted"])
        axes.imshow(table.to_numpy(), cmap="Blues")
        axes.set_xticks(range(table.shape[1]), table.columns)
        axes.set_yticks(range(table.shape[0]), table.index)
    axes.set_xlabel(f"predicted ({definition.units})")
    axes.set_ylabel("actual")
    axes.set_title(definition.name)
    figure.savefig(folder / "answers.png", metadata={"Software": None})
