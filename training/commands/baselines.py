"""`baselines`: is our model worth more than what anybody would try first, on the rows that it was judged by?"""

from __future__ import annotations

import argparse
from pathlib import Path

from modelkit.definition import ModelDefinition
from training.arguments import at_least_one
from training.settings import TrainingSettings

HELP = "fit the quick models that a recipe names, beside ours; also reports/baselines.md and .json"
MODELS = "any"
ITERATIONS = 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, default=Path("reports"), metavar="DIR", help="reports by default")
    parser.add_argument(
        "--iterations", type=at_least_one, default=ITERATIONS, help="of boosted trees; fewer for a first look"
    )


def run(arguments: argparse.Namespace, definition: ModelDefinition, settings: TrainingSettings) -> str:
    from training.evaluation.quick_models import compare_with_quick_models
    from training.evaluation.quick_report import keep, lines_of, verdict_of
    from training.layout import Layout
    from training.params import read_params

    params, layout = read_params(definition.name), Layout(model=definition.name)
    found = compare_with_quick_models(definition, params, layout, iterations=arguments.iterations)
    if found is None:
        return "its recipe names no quick models"
    page = arguments.out / "baselines.md"
    keep(found, page)
    lines = (f"  {line}" for line in lines_of(found))
    return "\n".join([f"{verdict_of(found)}; written to {page}", *lines])
