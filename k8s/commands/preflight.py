"""Looks for what would stop a deployment, before it: reads only, and changes nothing.

With `--manifest` (a rendered overlay, `-` for standard input) it checks everything that the overlay asks for:
`kubectl kustomize kustomize/overlays/staging | python -m k8s preflight --manifest -`. Without, only the cluster.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from k8s.api.cluster import Cluster
from k8s.api.connect import connect
from k8s.errors import Misused, Refused, Unauthorized
from k8s.preflight.around import check_kinds, check_metrics, check_namespace, check_permission, check_version
from k8s.preflight.manifest import Manifest, read_manifest
from k8s.preflight.proxies import check_proxies
from k8s.preflight.room import check_capacity, check_quota, check_secrets, check_storage
from k8s.report import Finding, Report, Severity, failed

HELP = "what would stop a deployment"
TIMEOUT_SECONDS = 60.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--manifest", default="", metavar="FILE", help="a rendered overlay; `-`: standard input"
    )


def run(options: argparse.Namespace) -> Report:
    manifest = _read(options.manifest)
    options.namespace = options.namespace or manifest.namespace
    cluster = connect(options, seconds=options.timeout)
    findings = tuple(_findings(cluster, manifest))
    bad = sum(finding.severity is Severity.FAILED for finding in findings)
    return Report(
        verb="preflight",
        subject=cluster.namespace,
        namespace=cluster.namespace,
        conclusion=f"{bad} things would stop it" if bad else "nothing would stop it",
        findings=findings,
    )


CHECKS: dict[str, Callable[[Cluster, Manifest], Iterator[Finding]]] = {
    "namespace": check_namespace,
    "kinds": check_kinds,
    "metrics": check_metrics,
    "secrets": check_secrets,
    "storage": check_storage,
    "quota": check_quota,
    "capacity": check_capacity,
    "proxies": check_proxies,
    "permission": check_permission,
}


def _findings(cluster: Cluster, manifest: Manifest) -> Iterator[Finding]:
    """What one check is refused is its finding: the others still say what they saw."""
    yield check_version(cluster)
    for name, check in CHECKS.items():
        try:
            yield from check(cluster, manifest)
        except Unauthorized:
            raise
        except Refused as error:
            yield failed(name, f"could not be asked: {error}")


def _read(source: str) -> Manifest:
    if not source:
        return Manifest(documents=())
    try:
        return read_manifest(sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Misused(f"--manifest: {error}") from None
