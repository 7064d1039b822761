"""`status`: the versions of a model and their aliases."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from modelkit.definition import ModelDefinition
from training.settings import TrainingSettings

if TYPE_CHECKING:
    from training.version import Version

HELP = "print versions and aliases"
MODELS = "any"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(arguments: argparse.Namespace, definition: ModelDefinition, settings: TrainingSettings) -> str:
    from training.registry import Registry, said_in_one_line

    with said_in_one_line():
        versions = Registry(settings.mlflow_tracking_uri).versions(definition.registry_name)
    lines = [f"  {line_of(version)}" for version in versions]
    return "\n".join([f"{definition.registry_name}, {len(versions)} versions", *lines])


def line_of(version: Version) -> str:
    """Number, mark, artifact, aliases; why it was withdrawn."""
    mark = "withdrawn" if version.withdrawn is not None else "approved" if version.approved else "-"
    said = [*version.aliases, *([version.withdrawn] if version.withdrawn else [])]
    return f"{version.number:>4}  {mark:<9}  {(version.digest or '-')[:19]}  {', '.join(said)}".rstrip()
