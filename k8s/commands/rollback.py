"""Puts the Deployment back to its previous revision, and follows it; under Argo CD it says what to revert instead.

This is about the image and its settings. A model goes back with `python -m training rollback NAME`.
"""

from __future__ import annotations

import argparse
import dataclasses

from k8s.api.cluster import Cluster
from k8s.api.connect import connect
from k8s.api.kinds import DEPLOYMENTS
from k8s.api.objects import Deployment
from k8s.errors import Misused
from k8s.report import Finding, Report, Severity, ok
from k8s.rollback.argo import how_to_revert, keeper_of, will_drift
from k8s.rollback.undo import REVISION, Revision, apply, changes, choose, lost_config, revisions
from k8s.rollout.follow import Wanted, follow
from k8s.terminal import Terminal
from k8s.workload import Workload, the_workload

HELP = "back to the previous image and settings, or what to revert in Git"
TIMEOUT_SECONDS = 600.0
OTHERS = {
    "rollout": "`kubectl argo rollouts undo NAME`, or a revert in Git",
    "inferenceservice": "revert the change of the InferenceService in Git",
}

MODELS = Finding(
    check="models",
    severity=Severity.OK,
    text="this is about the image and its settings; a model goes back by its alias",
    command="python -m training rollback NAME",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("workload", nargs="?", default="", help="KIND/NAME; default: the one called slipway")
    parser.add_argument("--to-revision", type=int, default=None, help="default: the one before")
    parser.add_argument(
        "--dry-run", action="store_true", help="let the API server check the change, and drop it"
    )
    parser.add_argument("--argocd-namespace", default="argocd", help="where Argo CD's applications are")


def run(options: argparse.Namespace) -> Report:
    cluster = connect(options)
    workload = the_workload(cluster, options.workload)
    if workload.kind in OTHERS:
        raise Misused(f"{workload}: {OTHERS[workload.kind]}")
    found: Deployment = cluster.get(DEPLOYMENTS, workload.name)
    keeper = keeper_of(cluster, found, argo_namespace=options.argocd_namespace)
    if keeper is not None and keeper.undoes_changes:
        steps = [*how_to_revert(keeper), MODELS]
        return _report(cluster, workload, "nothing was changed here: revert in Git", steps)
    notes = [MODELS] if keeper is None else [MODELS, will_drift(keeper)]
    return _back(options, cluster, found, notes)


def _back(options: argparse.Namespace, cluster: Cluster, found: Deployment, notes: list[Finding]) -> Report:
    workload = Workload("deployment", found.name)
    known = revisions(cluster, found)
    current = int(found.metadata.annotation(REVISION) or 0)
    target = choose(known, current=current, wanted=options.to_revision)
    now = next((revision for revision in known if revision.number == current), target)
    table = changes(now, target)
    if lost := [*lost_config(cluster, target)]:
        report = _report(cluster, workload, "nothing was changed", [*lost, *notes])
        return dataclasses.replace(report, tables=(table,))
    apply(cluster, found, target, dry_run=options.dry_run)
    if options.dry_run:
        tried = ok("rollback", f"from revision {current} to {target.number} would be accepted")
        report = _report(cluster, workload, "nothing was changed (dry run)", [tried, *notes])
        return dataclasses.replace(report, tables=(table,))
    done = _followed(cluster, workload, target, options.timeout, options.terminal)
    return dataclasses.replace(done, verb="rollback", findings=(*done.findings, *notes), tables=(table,))


def _followed(
    cluster: Cluster, workload: Workload, target: Revision, seconds: float, terminal: Terminal
) -> Report:
    terminal.say(f"{workload}: back to revision {target.number}")
    return follow(cluster, Wanted(workload=workload, seconds=seconds), terminal)


def _report(cluster: Cluster, workload: Workload, conclusion: str, findings: list[Finding]) -> Report:
    subject = f"{workload} in {cluster.namespace}"
    return Report(
        verb="rollback",
        subject=subject,
        conclusion=conclusion,
        namespace=cluster.namespace,
        findings=tuple(findings),
    )
