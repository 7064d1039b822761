"""`diff`: what a change does to an overlay, object by object; exits with 0 when nothing changes and 1 when something does."""

from __future__ import annotations

import argparse
from pathlib import Path

from deploy.manifests.diff import as_markdown, as_text, compare
from deploy.manifests.kustomize import overlay_folder, overlays, render, render_at
from deploy.manifests.objects import parse

HELP = "print what changes in a cluster since a Git revision"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("base", help="a Git revision, or a file that was rendered before")
    parser.add_argument("overlay", nargs="*", help="folders of kustomize/overlays; all where none is named")
    parser.add_argument(
        "--to", metavar="REVISION", help="compare with this revision; otherwise the working tree"
    )
    parser.add_argument("--markdown", action="store_true", help="for a comment on a pull request")


def run(options: argparse.Namespace) -> int:
    write = as_markdown if options.markdown else as_text
    different = False
    for overlay in options.overlay or overlays():
        before = parse(before_text(options.base, overlay))
        after = parse(render_at(options.to, overlay) if options.to else render(overlay_folder(overlay)))
        changes = compare(before, after)
        different = different or bool(changes)
        print(write(overlay, changes))
    return int(different)


def before_text(base: str, overlay: str) -> str:
    return Path(base).read_text(encoding="utf-8") if Path(base).is_file() else render_at(base, overlay)
