"""`download`: the public data set of a model, where there is a network."""

from __future__ import annotations

import argparse

from modelkit.definition import ModelDefinition
from training.settings import TrainingSettings

HELP = "fetch the public data sets into data/downloads"
MODELS = "any"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--or-offline", action="store_true", help="say why, and succeed, when there is no network or account"
    )


def run(arguments: argparse.Namespace, definition: ModelDefinition, settings: TrainingSettings) -> str:
    from training.data.downloads import DOWNLOADS, download, fetch_from_kaggle
    from training.errors import DownloadFailed

    if settings.slipway_raw_dir is not None:
        return "not needed: SLIPWAY_RAW_DIR names a folder of real files"
    try:
        written = download(definition, fetch_from_kaggle)
    except DownloadFailed as error:
        if not arguments.or_offline:
            raise
        return f"skipped: {error}"
    return f"wrote {', '.join(written)} to {DOWNLOADS}" if written else "unchanged"
