"""Whether the cluster is one that the overlay can live in: version, namespace, kinds, permissions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from k8s.api.cluster import Cluster
from k8s.api.kinds import NAMESPACES
from k8s.errors import Forbidden, Missing, Refused, Unauthorized
from k8s.preflight.manifest import Manifest
from k8s.report import Finding, failed, ok, warning

# Below: `unhealthyPodEvictionPolicy` and native sidecars are not what they are now. Tested: the three newest.
LEAST, TESTED = 31, (35, 36, 37)
ENFORCE = "pod-security.kubernetes.io/enforce"
WANTED_VERBS = ("create", "patch")


@dataclass(frozen=True)
class Resource:
    """A kind as the API server serves it."""

    group: str
    plural: str
    namespaced: bool


def check_version(cluster: Cluster) -> Finding:
    said = str(cluster.document("/version").get("gitVersion", ""))
    match = re.match(r"v1\.(\d+)", said)
    if match is None:
        return warning("version", f"{cluster.address} says it is {said or 'nothing'}")
    minor = int(match[1])
    text = f"{said} at {cluster.address}"
    if minor < LEAST:
        return failed("version", f"{text}: older than 1.{LEAST}", "native sidecars need a newer cluster")
    if minor not in TESTED:
        return warning("version", f"{text}: tested are 1.{TESTED[0]} to 1.{TESTED[-1]}")
    return ok("version", text)


def check_namespace(cluster: Cluster, manifest: Manifest) -> Iterator[Finding]:
    name = cluster.namespace
    brought = [d for d in manifest.of_kind("Namespace") if d["metadata"]["name"] == name]
    try:
        found = cluster.find(NAMESPACES, name)
    except Forbidden as error:
        yield warning("namespace", f"not looked at: {error}")
        return
    if found is None and not brought:
        yield failed(
            "namespace",
            f"there is no {name}, and the manifest brings none",
            "",
            f"kubectl create namespace {name}",
        )
        return
    labels: dict[str, Any] = dict(brought[0]["metadata"].get("labels") or {}) if brought else {}
    level = labels.get(ENFORCE) or (found.metadata.label(ENFORCE) if found else "")
    yield _level(name, level, is_there=found is not None)


def _level(name: str, level: str, *, is_there: bool) -> Finding:
    if level == "restricted":
        return ok(
            "namespace", f"{name} {'is there' if is_there else 'will be made'}, its level is restricted"
        )
    command = f"kubectl label namespace {name} {ENFORCE}=restricted"
    text = f"{name} enforces {level or 'no Pod Security level'}"
    return warning("namespace", text, "the pods run under `restricted`", command)


def check_kinds(cluster: Cluster, manifest: Manifest) -> Iterator[Finding]:
    """Every kind of the manifest is one that the API server knows."""
    known = served_kinds(cluster, manifest)
    unknown = [f"{kind} ({version})" for version, kind in manifest.kinds if (version, kind) not in known]
    for name in unknown:
        yield failed(
            "kinds",
            f"{name} is not known",
            "install what brings this CRD, or leave the component out of the overlay",
        )
    if manifest.kinds and not unknown:
        yield ok("kinds", f"all {len(manifest.kinds)} are known")


def served_kinds(cluster: Cluster, manifest: Manifest) -> dict[tuple[str, str], Resource]:
    found = {}
    for version in sorted({version for version, _ in manifest.kinds}):
        group = version.rpartition("/")[0]
        try:
            page = cluster.document(f"/apis/{version}" if group else f"/api/{version}")
        except Missing:
            continue
        for entry in page.get("resources", ()):
            if "/" not in entry["name"]:
                resource = Resource(group, str(entry["name"]), bool(entry["namespaced"]))
                found[version, str(entry["kind"])] = resource
    return found


def check_metrics(cluster: Cluster, manifest: Manifest) -> Iterator[Finding]:
    if not manifest.scales_on_resources:
        return
    try:
        cluster.document("/apis/metrics.k8s.io/v1beta1")
    except Missing:
        yield failed(
            "metrics",
            "no metrics API: the autoscaler will see nothing",
            "install metrics-server",
            "kubectl top nodes",
        )
    except Unauthorized:
        raise
    except Refused as error:
        yield failed(
            "metrics",
            f"the metrics API does not answer: {error}",
            "the autoscaler sees nothing while metrics-server is down",
            "kubectl get apiservice v1beta1.metrics.k8s.io",
        )
    else:
        yield ok("metrics", "the metrics API answers")


def check_permission(cluster: Cluster, manifest: Manifest) -> Iterator[Finding]:
    """Whoever runs this is asked about; a delivery tool has an account of its own."""
    served = served_kinds(cluster, manifest)
    refused = [
        f"{verb} {resource.plural}"
        for kind in manifest.kinds
        if (resource := served.get(kind)) is not None
        for verb in WANTED_VERBS
        if not cluster.may(verb, resource.group, resource.plural, namespaced=resource.namespaced)
    ]
    if refused:
        yield warning(
            "permission",
            f"you may not {', '.join(refused)}",
            "fine where Argo CD applies the manifests; otherwise ask for a role",
        )
    elif manifest.kinds:
        yield ok("permission", "you may create and change all of it")
