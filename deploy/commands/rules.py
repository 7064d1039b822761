"""`rules`: have promtool check the alert rules of an overlay, and run their tests."""

from __future__ import annotations

import argparse

from deploy.manifests.alert_rules import judge, rule_file
from deploy.manifests.kustomize import overlay_folder, render
from deploy.manifests.objects import parse

HELP = "check the alert rules of an overlay, and run their tests"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "overlay", nargs="?", default="production", help="a folder of kustomize/overlays (production)"
    )


def run(options: argparse.Namespace) -> int:
    print(judge(rule_file(parse(render(overlay_folder(options.overlay))))), end="")
    return 0
