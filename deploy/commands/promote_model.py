"""`promote-model`: the version of one model in one overlay, in the work tree."""

from __future__ import annotations

import argparse
from pathlib import Path

from deploy.promotion.overlay import Overlay

HELP = "change the version of a model that an overlay wants: one line"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("overlay")
    parser.add_argument("model")
    parser.add_argument("version", help="its number in the registry")


def run(options: argparse.Namespace) -> int:
    overlay = Overlay(Path(), options.overlay)
    edit = overlay.with_version(options.model, options.version)
    overlay.write(edit)
    before = edit.before or "none"
    print(f"{edit.path}: {edit.thing} from {before} to {edit.after}" if edit.changes else "it is so already")
    return 0
