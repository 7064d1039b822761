"""Shows which version of each model every pod serves, and whether it is the one that the registry's alias names.

Exit code 1: a pod serves another version than wanted, or none. Without a token the pods' metrics are read, which say
whether the right version serves, but not which it is.
"""

from __future__ import annotations

import argparse

from k8s.api.connect import connect
from k8s.commands.smoke import add_credentials, credentials
from k8s.forwarding import service_pods
from k8s.loaded_models import judge, read_pod, table
from k8s.report import Report, failed, worst_first
from k8s.smoke.credentials import token
from k8s.workload import service_labels

HELP = "versions loaded and desired, per pod and model"
TIMEOUT_SECONDS = 30.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--selector", "-l", default="", help="labels of the pods; default: those of the workload"
    )
    add_credentials(parser)


def run(options: argparse.Namespace) -> Report:
    cluster = connect(options, seconds=options.timeout)
    bearer = token(credentials(options), options.settings)
    pods = service_pods(cluster, options.selector or service_labels(cluster))
    read = [read_pod(cluster, pod, bearer) for pod in pods if pod.has_started]
    findings = worst_first([*judge(read)])
    if not read:
        nobody = failed("pods", f"none runs in {cluster.namespace}", "", "python -m k8s diagnose")
        findings = (nobody,)
    bad = sum(finding.severity == "failed" for finding in findings)
    return Report(
        verb="models",
        subject=cluster.namespace,
        namespace=cluster.namespace,
        conclusion=f"{bad} differences" if bad else f"all models as wanted in {len(read)} pods",
        findings=findings,
        tables=(table(read),),
    )
