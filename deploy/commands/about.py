"""`about`: one fact that Git says of an overlay, for whoever asks a cluster or a registry whether it is so."""

from __future__ import annotations

import argparse
from pathlib import Path

from deploy.promotion.overlay import IMAGE, Overlay

HELP = "print what an overlay runs, where, and which alias it follows"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("fact", choices=("image", "namespace", "alias"))
    parser.add_argument("overlay")
    parser.add_argument("--image", default=IMAGE, help="name of the image in the manifests")


def run(options: argparse.Namespace) -> int:
    overlay = Overlay(Path(), options.overlay)
    match options.fact:
        case "image":
            print(overlay.image(options.image).reference)
        case "namespace":
            print(overlay.namespace())
        case _:
            print(overlay.alias())
    return 0
