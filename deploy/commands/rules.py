"""`rules`: have promtool check the alert rules of an overlay and run their tests; with `--mutants`, test the tests."""

from __future__ import annotations

import argparse

import yaml

from deploy.manifests.alert_mutants import alert_mutants
from deploy.manifests.alert_rules import judge, rule_file
from deploy.manifests.kustomize import overlay_folder, render
from deploy.manifests.objects import parse

HELP = "check the alert rules of an overlay, and run their tests"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "overlay", nargs="?", default="production", help="a folder of kustomize/overlays (production)"
    )
    parser.add_argument("--mutants", action="store_true", help="break each rule in every way; takes minutes")


def run(options: argparse.Namespace) -> int:
    rules = rule_file(parse(render(overlay_folder(options.overlay))))
    if not options.mutants:
        print(judge(rules), end="")
        return 0
    mutants = list(alert_mutants(yaml.safe_load(rules)["groups"]))
    survivors = [mutant for mutant in mutants if mutant.survives()]
    for mutant in survivors:
        print(f"no test notices: {mutant.alert}, {mutant.what}")
    print(f"{len(mutants) - len(survivors)} of {len(mutants)} mutants are caught")
    return int(bool(survivors))
