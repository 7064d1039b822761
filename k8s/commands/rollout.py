"""Follows a Deployment, a Rollout or an InferenceService to its end, with the causes of what holds it up."""

from __future__ import annotations

import argparse

from k8s.api.connect import connect
from k8s.report import Report
from k8s.rollout.follow import Wanted, follow
from k8s.workload import the_workload

HELP = "follow a change of the service to its end"
TIMEOUT_SECONDS = 600.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "workload",
        nargs="?",
        default="",
        help="KIND/NAME: deployment, rollout or inferenceservice; default: the one called slipway",
    )
    parser.add_argument(
        "--image", default="", help="not done before the pods are of this one: NAME@sha256:..., or sha256:..."
    )


def run(options: argparse.Namespace) -> Report:
    cluster = connect(options)
    workload = the_workload(cluster, options.workload)
    wanted = Wanted(workload=workload, seconds=options.timeout, image=options.image)
    return follow(cluster, wanted, options.terminal)
