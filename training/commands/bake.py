"""`bake`: the versions in production and the features they look up, as a folder that the image carries."""

from __future__ import annotations

import argparse
from pathlib import Path

from training.settings import TrainingSettings

HELP = "write the versions in production, and features that are files, to a folder for the image"
MODELS = "none"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="what is there under its names is replaced")


def run(arguments: argparse.Namespace, definition: None, settings: TrainingSettings) -> str:
    from modelkit.definition import load_catalog
    from modelkit.feature_url import FeatureHome, feature_home
    from training.baking import bake
    from training.registry import Registry, said_in_one_line

    is_folder = feature_home(settings.features_url) is FeatureHome.FOLDER
    with said_in_one_line():
        registry = Registry(settings.mlflow_tracking_uri)
        baked = bake(
            load_catalog(settings.catalog).values(),
            registry,
            arguments.folder,
            features=Path(settings.features_url) if is_folder else None,
        )
    return baked.sentence()
