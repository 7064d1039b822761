"""`status`: the versions of a model and their aliases."""

from __future__ import annotations

import argparse

from modelkit.definition import ModelDefinition
from training.settings import TrainingSettings

HELP = "print versions and aliases"
MODELS = "any"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(arguments: argparse.Namespace, definition: ModelDefinition, settings: TrainingSettings) -> str:
    from training.registry import Registry, said_in_one_line

    with said_in_one_line():
        versions = Registry(settings.mlflow_tracking_uri).versions(definition.registry_name)
    lines = [
        f"  {version.number:>4}  {'approved' if version.approved else '-':<8}  "
        f"{(version.digest or '-')[:19]}  {', '.join(version.aliases)}".rstrip()
        for version in versions
    ]
    return "\n".join([f"{definition.registry_name}, {len(versions)} versions", *lines])
