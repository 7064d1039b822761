"""`render`: print what an overlay sends to a cluster."""

from __future__ import annotations

import argparse

from deploy.manifests.kustomize import overlay_folder, render, render_at

HELP = "print what an overlay renders to"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("overlay", help="a folder of kustomize/overlays")
    parser.add_argument(
        "--at", metavar="REVISION", help="as a Git revision renders it; otherwise the working tree"
    )


def run(options: argparse.Namespace) -> int:
    text = render_at(options.at, options.overlay) if options.at else render(overlay_folder(options.overlay))
    print(text, end="")
    return 0
