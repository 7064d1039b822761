"""`register`: what the stages left on disk becomes a version in the registry."""

from __future__ import annotations

import argparse

from modelkit.definition import ModelDefinition
from training.layout import Layout
from training.settings import TrainingSettings

HELP = "make the trained model a version in the registry, and the candidate"
MODELS = "many"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(arguments: argparse.Namespace, definition: ModelDefinition, settings: TrainingSettings) -> str:
    from training.registration import register
    from training.registry import Registry, said_in_one_line

    with said_in_one_line():
        registry = Registry(settings.mlflow_tracking_uri)
        version = register(definition, Layout(model=definition.name), registry)
    return f"{version.registry_name} version {version.number} is the candidate"
