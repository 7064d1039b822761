"""`golden`: compare what every overlay renders to with what is committed, or with `--write` commit to what it renders to now."""

from __future__ import annotations

import argparse

from deploy.manifests.golden import FOLDER, difference, stale, write
from deploy.manifests.kustomize import overlay_folder, overlays, render

HELP = "compare renders with the committed ones, or rewrite those"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--write", action="store_true", help="rewrite the committed renders")


def run(options: argparse.Namespace) -> int:
    rendered = {name: render(overlay_folder(name)) for name in overlays()}
    changed = [found for name, text in rendered.items() if (found := difference(name, text))]
    print("\n\n".join(changed) or "as committed")
    if not options.write:
        return int(bool(changed or stale(tuple(rendered))))
    for name, text in rendered.items():
        write(name, text)
    for name in stale(tuple(rendered)):
        (FOLDER / name).unlink()
    return 0
