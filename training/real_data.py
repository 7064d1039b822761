"""Whether an alias may move to a version that learned from synthetic data: in development, elsewhere only where it is said."""

from __future__ import annotations

import argparse

from training.settings import TrainingSettings


def add_real_data(parser: argparse.ArgumentParser) -> None:
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--real-data", action="store_true", help="refuse a version of synthetic data in development, too"
    )
    group.add_argument(
        "--synthetic", action="store_true", help="take a version of synthetic data outside development, too"
    )


def insists_on_real_data(arguments: argparse.Namespace, settings: TrainingSettings) -> bool:
    return not arguments.synthetic and (arguments.real_data or settings.only_real_data)
