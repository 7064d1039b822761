"""`history`: who moved which alias of a model, when and why."""

from __future__ import annotations

import argparse

from modelkit.definition import ModelDefinition
from training.settings import TrainingSettings

HELP = "print who moved what, when and why"
MODELS = "one"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(arguments: argparse.Namespace, definition: ModelDefinition, settings: TrainingSettings) -> str:
    from records.ledger import history
    from training.ledger_session import open_ledger

    with open_ledger(settings.database_url) as ledger:
        entries = history(ledger, definition.name)
    lines = [
        f"  {entry.at:%Y-%m-%d %H:%M:%S}  {entry.action:<8}  {entry.alias:<10}  "
        f"{entry.from_version or '-':>4} -> {entry.to_version or '-':<4}  {entry.actor}  {entry.reason}".rstrip()
        for entry in entries
    ]
    return "\n".join([f"{len(lines)} moves, newest first", *lines])
