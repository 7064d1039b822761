"""`notebooks`: execute the exploration scripts of docs/notebooks on the raw data."""

from __future__ import annotations

import argparse
from pathlib import Path

from training.settings import TrainingSettings

HELP = "execute docs/notebooks/*.py into notebooks; needs SLIPWAY_RAW_DIR"
MODELS = "none"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("scripts", nargs="*", type=Path, metavar="SCRIPT", help="all when none is named")


def run(arguments: argparse.Namespace, definition: None, settings: TrainingSettings) -> str:
    from training.errors import RawDataMissing
    from training.notebooks import FOLDER, build

    if settings.slipway_raw_dir is None:
        raise RawDataMissing("exploration looks at real data: set SLIPWAY_RAW_DIR to the folder of raw files")
    pages = [build(script) for script in arguments.scripts or sorted(FOLDER.glob("*.py"))]
    return ", ".join(f"{page.name} ({page.stat().st_size / 1000:.0f} kB)" for page in pages)
