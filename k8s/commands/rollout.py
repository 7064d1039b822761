"""Follows a Deployment, a Rollout or an InferenceService to its end, with the causes of what holds it up."""

from __future__ import annotations

import argparse

from k8s.api.connect import connect
from k8s.report import Report
from k8s.rollout.follow import Wanted, follow
from k8s.workload import DEFAULT, parse_workload

HELP = "follow a change of the service to its end"
TIMEOUT_SECONDS = 600.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "workload", nargs="?", default=DEFAULT, help="KIND/NAME: deployment, rollout or inferenceservice"
    )


def run(options: argparse.Namespace) -> Report:
    wanted = Wanted(workload=parse_workload(options.workload), seconds=options.timeout)
    return follow(connect(options), wanted, options.terminal)
