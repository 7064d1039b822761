"""`recap`: what a step of the pipeline left behind, in a line a model."""

from __future__ import annotations

import argparse

from modelkit.definition import ModelDefinition
from training.settings import TrainingSettings

HELP = "say in a line what a step left on disk"
MODELS = "any"
STEPS = ("data", "features", "training")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--step", choices=STEPS, required=True)


def run(arguments: argparse.Namespace, definition: ModelDefinition, settings: TrainingSettings) -> str:
    from training.evaluation.recap import RECAPS
    from training.layout import Layout

    try:
        return RECAPS[arguments.step](definition, Layout(model=definition.name))
    except FileNotFoundError:
        return "nothing there yet"
