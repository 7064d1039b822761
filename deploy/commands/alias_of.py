"""`alias-of`: the registry's alias that an overlay follows, for whoever moves it."""

from __future__ import annotations

import argparse
from pathlib import Path

from deploy.promotion.overlay import Overlay

HELP = "print the alias that an overlay follows"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("overlay")


def run(options: argparse.Namespace) -> int:
    print(Overlay(Path(), options.overlay).alias())
    return 0
