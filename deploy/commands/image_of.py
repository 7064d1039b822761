"""`image-of`: what Git says an overlay runs, for whoever asks a cluster whether it does."""

from __future__ import annotations

import argparse
from pathlib import Path

from deploy.promotion.overlay import IMAGE, Overlay

HELP = "print the image of an overlay, by digest"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("overlay")
    parser.add_argument("--image", default=IMAGE)


def run(options: argparse.Namespace) -> int:
    print(Overlay(Path(), options.overlay).image(options.image).reference)
    return 0
