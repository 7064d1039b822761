"""`remote`: where DVC pushes to and pulls from."""

from __future__ import annotations

import argparse

from training.settings import TrainingSettings

HELP = "let dvc push and pull use DVC_REMOTE_URL"
MODELS = "none"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(arguments: argparse.Namespace, definition: None, settings: TrainingSettings) -> str:
    from training.data.data_remote import set_remote

    return set_remote(settings)
