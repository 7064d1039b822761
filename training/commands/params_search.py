"""`params-search`: hyperparameter search; the best knobs land in `params.yaml` as a diff to review."""

from __future__ import annotations

import argparse

from modelkit.definition import ModelDefinition
from training.arguments import at_least_one
from training.settings import TrainingSettings

HELP = "search hyperparameters and write better ones to params.yaml"
MODELS = "one"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--trials", type=at_least_one, default=15, help="of the study in total, earlier calls included"
    )
    parser.add_argument("--timeout", type=float, default=None, metavar="SECONDS", help="begin no trial later")
    parser.add_argument(
        "--study", default=None, help="its name; by default the model and a digest of its data"
    )
    parser.add_argument("--no-write", action="store_true", help="show the diff and leave params.yaml alone")


def run(arguments: argparse.Namespace, definition: ModelDefinition, settings: TrainingSettings) -> str:
    from training.layout import Layout
    from training.params import read_params
    from training.registry import said_in_one_line
    from training.search.session import Wish, search

    wish = Wish(
        trials=arguments.trials,
        timeout_seconds=arguments.timeout,
        study=arguments.study,
        write=not arguments.no_write,
    )
    with said_in_one_line():
        return search(definition, read_params(definition.name), Layout(model=definition.name), wish, settings)
