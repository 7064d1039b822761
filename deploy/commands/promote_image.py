"""`promote-image`: the digest of one image in one overlay, in the work tree."""

from __future__ import annotations

import argparse
from pathlib import Path

from deploy.promotion.overlay import IMAGE, Overlay

HELP = "change the digest that an overlay runs: one line"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("overlay")
    parser.add_argument("--digest", required=True, help="sha256:… as the registry says it")
    parser.add_argument("--image", default=IMAGE, help="name of the image in the manifests")


def run(options: argparse.Namespace) -> int:
    overlay = Overlay(Path(), options.overlay)
    edit = overlay.with_digest(options.digest, options.image)
    overlay.write(edit)
    print(
        f"{edit.path}: {edit.thing} from {edit.before} to {edit.after}"
        if edit.changes
        else "it is so already"
    )
    return 0
