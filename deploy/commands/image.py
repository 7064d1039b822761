"""The image: build it, try it as production would, list what it holds and what that weighs, push it by digest."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

HELP = "build, try, list, weigh, compare and push the image"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    build = actions.add_parser(
        "build", help="bake, build the Bento, containerize it; prints the image's name"
    )
    build.add_argument("--training", action="store_true", help="the training environment instead")
    test = actions.add_parser("test", help="start it as production would, ask it, and check every answer")
    test.add_argument(
        "--image", help="one that the engine has; otherwise it is built, around a model of its own"
    )
    test.add_argument("--training", action="store_true", help="the training environment instead")
    for name, meaning in (
        ("size", "what takes the space; exit code 1 over IMAGE_BUDGET_MB"),
        ("sbom", "write its bill of materials (CycloneDX) and hold it against the lock"),
        ("digest", "print the digest of its contents, whatever the times of its layers"),
        ("models", "print the versions that it carries"),
        ("push", "push it and print the name with the digest that the registry answers"),
        ("run", "serve from it on port 8090 as production would, in the foreground"),
    ):
        action = actions.add_parser(name, help=meaning)
        action.add_argument("--image", help="IMAGE_NAME:IMAGE_TAG unless given")
        if name == "sbom":
            action.add_argument("--out", type=Path, default=Path("reports/sbom.json"), metavar="FILE")
    compare = actions.add_parser(
        "compare", help="differences between two images; exit code 1 if there are any"
    )
    compare.add_argument("images", nargs=2, metavar="IMAGE")


def run(options: argparse.Namespace) -> int:
    from deploy.image import actions

    chosen: Callable[[argparse.Namespace], int] = getattr(actions, f"{options.action}_image")
    return chosen(options)
