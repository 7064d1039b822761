"""What one run of the stages found, read back from its servable's card: for the report, the model card and the comparison."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from modelkit.definition import ModelDefinition, Task
from modelkit.gates import GateResult, judge
from modelkit.servable import CARD, Card
from training.errors import NotTrained
from training.evaluation.baselines import CONSTANT, LINEAR
from training.evaluation.scores import main_metric

WORDS = {
    "mae": "mean absolute error",
    "rmse": "root mean squared error",
    "r2": "R² (share of variance explained)",
    "bias": "bias (mean of predicted minus actual)",
    "median_abs_error": "median absolute error",
    "p95_abs_error": "95 of 100 errors are below",
    "p99_abs_error": "99 of 100 errors are below",
    "max_abs_error": "largest error",
    "accuracy": "accuracy (share of right answers)",
    "macro_f1": "F1, mean over classes",
    "log_loss": "log loss",
    "brier": "Brier score",
    "calibration_error": "expected calibration error",
    "coverage": "share of truths inside the interval",
    "mean_width": "mean width of the interval",
}
UNITLESS = {"r2", "coverage", "accuracy", "macro_f1", "log_loss", "brier", "calibration_error"}
# Columns of the table of figures: prefix in the card, and its title.
COLUMNS = (
    ("overall.", "test rows"),
    (f"baseline.{LINEAR}.", "a line"),
    (f"baseline.{CONSTANT}.", "a constant"),
    ("required_only.", "required fields only"),
    ("valid.", "validation rows"),
)


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """A card and what follows from it."""

    definition: ModelDefinition
    card: Card
    gates: tuple[GateResult, ...]

    def figure(self, name: str) -> float | None:
        return self.card.metrics.get(name)

    def group(self, prefix: str) -> dict[str, float]:
        """Metrics under a prefix, by the rest of their names, in the order of WORDS."""
        metrics = self.card.metrics.items()
        found = {name.removeprefix(prefix): value for name, value in metrics if name.startswith(prefix)}
        known = [name for name in WORDS if name in found]
        return {name: found[name] for name in [*known, *(name for name in found if name not in WORDS)]}

    @property
    def main(self) -> str:
        return main_metric(self.definition)

    @property
    def failed(self) -> int:
        return sum(not result.passed for result in self.gates)

    def headline(self, metric: str) -> tuple[float | None, bool]:
        """The figure to show first, and whether it is cross-validated: a small classifier has too few test rows to say much."""
        validated = self.figure(f"cross_validation.{metric}")
        return (self.figure(f"overall.{metric}"), False) if validated is None else (validated, True)

    def gain_over(self, baseline: str) -> float | None:
        """By how many percent the error is smaller than the baseline's: mean absolute error, or share of wrong answers."""
        ours, theirs = self.figure(f"overall.{self.main}"), self.figure(f"baseline.{baseline}.{self.main}")
        if ours is None or theirs is None:
            return None
        if self.definition.task is Task.CLASSIFICATION:
            ours, theirs = 1 - ours, 1 - theirs
        return 100 * (1 - ours / theirs) if theirs else None

    def slices(self) -> list[tuple[str, dict[str, float]]]:
        """Worst first."""
        found: dict[str, dict[str, float]] = {}
        for name, value in self.group("slice.").items():
            part, _, figure = name.rpartition(".")
            found.setdefault(part, {})[figure] = value
        found = {part: {self.main: figures[self.main]} | figures for part, figures in found.items()}
        worst_first = -1 if self.definition.task is Task.REGRESSION else 1
        return sorted(found.items(), key=lambda item: (worst_first * item[1][self.main], item[0]))


def read_run(definition: ModelDefinition, servable: Path) -> RunFacts:
    """Raises NotTrained where there is no servable yet."""
    try:
        card = msgspec.json.decode((servable / CARD).read_bytes(), type=Card)
    except FileNotFoundError as error:
        raise NotTrained(f"{definition.name} is not trained yet: run `dvc repro`") from error
    return RunFacts(definition=definition, card=card, gates=tuple(judge(definition.gates, card.metrics)))


def unit_of(definition: ModelDefinition, metric: str) -> str:
    return "" if metric in UNITLESS or definition.task is Task.CLASSIFICATION else definition.units


def size(facts: RunFacts) -> str:
    """Of the compiled graph."""
    count = facts.figure("size.model_bytes") or 0.0
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.1f} kB"


def number(value: float | None) -> str:
    """For people: four significant digits, thousands apart, a dash for what was not measured."""
    if value is None:
        return "–"
    if abs(value) < 1e-9:
        return "0"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"
