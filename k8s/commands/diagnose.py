"""One page: what is wrong now, how bad it is, and what to type next. Exit code 1 when something is wrong.

With a token the pods are asked for the versions they want; without, their metrics say whether they have them.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from k8s.api.connect import connect
from k8s.api.objects import Event
from k8s.commands.smoke import add_credentials, credentials
from k8s.diagnose.around import (
    autoscaling_findings,
    budget_findings,
    monitor_findings,
    policy_findings,
    service_findings,
)
from k8s.diagnose.facts import ClusterFacts, Collector
from k8s.diagnose.running import model_findings, pod_findings, workload_findings
from k8s.report import Finding, Report, Severity, Table, warning, worst_first
from k8s.smoke.credentials import token
from k8s.workload import the_workload

HELP = "what is wrong now, and what to type next"
TIMEOUT_SECONDS = 60.0
MOST_EVENTS = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("workload", nargs="?", default="", help="KIND/NAME; default: the one called slipway")
    add_credentials(parser)


def run(options: argparse.Namespace) -> Report:
    bearer = token(credentials(options), options.settings)
    cluster = connect(options, seconds=options.timeout)
    facts = Collector(cluster, bearer).collect(the_workload(cluster, options.workload))
    findings = worst_first(without_repeats([*_findings(facts)]))
    bad = sum(finding.severity is Severity.FAILED for finding in findings)
    odd = sum(finding.severity is Severity.WARNING for finding in findings)
    return Report(
        verb="diagnose",
        subject=f"{facts.workload} in {facts.namespace}",
        namespace=facts.namespace,
        conclusion=f"{bad} wrong, {odd} to look at" if bad or odd else "nothing wrong",
        findings=findings,
        tables=(pods_table(facts), events_table(facts.events)),
    )


def _findings(facts: ClusterFacts) -> Iterator[Finding]:
    yield from workload_findings(facts)
    yield from pod_findings(facts)
    yield from model_findings(facts)
    yield from service_findings(facts)
    yield from policy_findings(facts)
    yield from autoscaling_findings(facts)
    yield from budget_findings(facts)
    yield from monitor_findings(facts)
    for words in facts.unseen:
        yield warning("not looked at", words, "k8s/rbac.yaml has the permissions that this verb needs")


def without_repeats(findings: list[Finding]) -> list[Finding]:
    """Two checks may come upon the same thing."""
    return list({(finding.check, finding.text): finding for finding in reversed(findings)}.values())[::-1]


def pods_table(facts: ClusterFacts) -> Table:
    rows = tuple(
        (
            view.pod.name,
            "leaving" if view.pod.is_leaving else view.pod.status.phase,
            str(sum(status.restart_count for status in view.pod.statuses)),
            "yes" if view.pod.is_ready else "no",
        )
        for view in facts.pods
    )
    return Table(name="pods", columns=("pod", "phase", "restarts", "ready"), rows=rows)


def events_table(events: tuple[Event, ...]) -> Table:
    """The latest warnings, each once."""
    warnings = sorted((event for event in events if event.type == "Warning"), key=lambda event: event.at)
    rows = tuple(
        (
            event.at[11:19],
            f"{event.involved_object.kind}/{event.involved_object.name}",
            str(event.count or 1),
            f"{event.reason}: {event.message}",
        )
        for event in warnings[-MOST_EVENTS:]
    )
    return Table(name="warnings", columns=("time", "object", "count", "event"), rows=rows)
