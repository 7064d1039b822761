"""The evaluation as pictures: CSV for `dvc plots`, PNG for the registry, SVG for the report.

Equal tables give equal files: no dates, no random identifiers.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap, to_rgba
from matplotlib.figure import Figure

from modelkit.definition import ModelDefinition, Task
from training.layout import Layout

SHOWN_SLICES, SHOWN_FEATURES = 25, 25
# Ink is one colour, so that the report can replace it by that of its text in the dark.
INK, BLUE, ORANGE, GREY = "#1b1f24", "#3b7dd8", "#d9822b", "#8a93a0"
# From hardly any blue to half of it: ink stays readable on either, on a light and on a dark page.
SHADES = LinearSegmentedColormap.from_list("shades", [to_rgba(BLUE, 0.05), to_rgba(BLUE, 0.5)])
STYLE: dict[Any, Any] = {
    "text.parse_math": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "slipway",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "xtick.color": INK,
    "ytick.color": INK,
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}

Draw = Callable[[Axes, ModelDefinition, pd.DataFrame], None]


def write_plots(definition: ModelDefinition, tables: dict[str, pd.DataFrame], layout: Layout) -> None:
    """For each table `plots/<name>.csv`, and `pictures/<name>.png` and `.svg`."""
    layout.plots.mkdir(parents=True, exist_ok=True)
    layout.pictures.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.to_csv(layout.plots / f"{name}.csv", index=False, float_format="%.6g")
        with mpl.rc_context(STYLE):
            figure = Figure(figsize=(6, max(3.4, _lines(name, table) * 0.2 + 1)), layout="constrained")
            FigureCanvasAgg(figure)
            DRAWN[name](figure.add_subplot(), definition, table)
            _save(figure, layout.pictures / f"{name}.png")


def _save(figure: Figure, path: Path) -> None:
    """As PNG and SVG; the second file needs no layout of its own, which is the slow part."""
    figure.savefig(path, dpi=110, facecolor="white", metadata={"Software": None})
    figure.set_layout_engine("none")
    figure.savefig(path.with_suffix(".svg"), transparent=True, metadata={"Date": None, "Creator": None})


def _lines(name: str, table: pd.DataFrame) -> int:
    return min(len(table), SHOWN_SLICES) if name in ("slices", "importance") else 12


def _draw_answers(axes: Axes, definition: ModelDefinition, table: pd.DataFrame) -> None:
    if definition.task is Task.REGRESSION:
        axes.scatter(table["actual"], table["predicted"], s=8, alpha=0.5, color=BLUE, linewidths=0)
        low, high = table["actual"].min(), table["actual"].max()
        axes.plot([low, high], [low, high], color=GREY, linewidth=1)
        axes.set_xlabel(f"actual ({definition.units})")
        axes.set_ylabel(f"predicted ({definition.units})")
        return
    counts = pd.crosstab(table["actual"], table["predicted"])
    axes.imshow(counts.to_numpy(), cmap=SHADES, aspect="auto")
    for row in range(counts.shape[0]):
        for column in range(counts.shape[1]):
            axes.text(column, row, str(counts.iloc[row, column]), ha="center", va="center")
    axes.set_xticks(range(counts.shape[1]), list(counts.columns))
    axes.set_yticks(range(counts.shape[0]), list(counts.index))
    axes.set_xlabel("predicted")
    axes.set_ylabel("actual")


def _draw_residuals(axes: Axes, definition: ModelDefinition, table: pd.DataFrame) -> None:
    axes.axhline(0, color=GREY, linewidth=1)
    axes.scatter(table["predicted"], table["residual"], s=8, alpha=0.5, color=BLUE, linewidths=0)
    regression = definition.task is Task.REGRESSION
    axes.set_xlabel(f"predicted ({definition.units})" if regression else "confidence of the answer")
    axes.set_ylabel("predicted minus actual" if regression else "wrong (1) or right (0)")


def _draw_over_time(axes: Axes, definition: ModelDefinition, table: pd.DataFrame) -> None:
    regression = definition.task is Task.REGRESSION
    label = "mean absolute error" if regression else "share of wrong answers"
    axes.plot(table["period"], table["error"], color=BLUE, marker="o", markersize=3, label=label)
    if regression:
        axes.plot(table["period"], table["bias"], color=ORANGE, marker="o", markersize=3, label="bias")
    axes.axhline(0, color=GREY, linewidth=1)
    axes.set_xticks(range(0, len(table), max(1, len(table) // 6)))
    axes.set_ylabel(definition.units if regression else "")
    axes.legend(frameon=False)


def _draw_calibration(axes: Axes, definition: ModelDefinition, table: pd.DataFrame) -> None:
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1)
    axes.plot(table["stated"], table["observed"], color=BLUE, marker="o", markersize=4)
    regression = definition.task is Task.REGRESSION
    axes.set_xlabel("stated coverage of the interval" if regression else "stated probability of a class")
    axes.set_ylabel("observed share")


def _draw_importance(axes: Axes, definition: ModelDefinition, table: pd.DataFrame) -> None:
    shown = table.head(SHOWN_FEATURES).iloc[::-1]
    axes.barh(shown["feature"], shown["importance"], xerr=shown["spread"], color=BLUE, ecolor=GREY)
    regression = definition.task is Task.REGRESSION
    loss = f"mean absolute error ({definition.units})" if regression else "log loss"
    axes.set_xlabel(f"rise of the {loss} when shuffled")


def _draw_slices(axes: Axes, definition: ModelDefinition, table: pd.DataFrame) -> None:
    """Worst on top."""
    shown = table.head(SHOWN_SLICES).iloc[::-1]
    axes.barh(shown["slice"], shown[table.columns[1]], color=BLUE)
    unit = f" ({definition.units})" if definition.task is Task.REGRESSION else ""
    axes.set_xlabel(f"{table.columns[1]}{unit}")


DRAWN: dict[str, Draw] = {
    "answers": _draw_answers,
    "residuals": _draw_residuals,
    "over_time": _draw_over_time,
    "calibration": _draw_calibration,
    "importance": _draw_importance,
    "slices": _draw_slices,
}
