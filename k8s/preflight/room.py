"""Whether what the pods need is there: Secrets with their keys, a storage class, room in quotas and on nodes."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from k8s.api.cluster import Cluster
from k8s.api.kinds import NODES, PODS, QUOTAS, SECRETS, STORAGE_CLASSES
from k8s.api.quantities import quantity, shown
from k8s.api.surroundings import Node, Quota, StoredSecret
from k8s.errors import Forbidden
from k8s.preflight.manifest import Manifest, PodShape
from k8s.report import Finding, failed, ok, warning

DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
PULL_TYPES = ("kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg")
NODE_RESOURCES = ("cpu", "memory")


def check_secrets(cluster: Cluster, manifest: Manifest) -> Iterator[Finding]:
    """The Secrets that pods mount are there, with the keys that they name, or the overlay makes them."""
    wanted: dict[str, set[str]] = {}
    for pod in manifest.pods:
        for use in pod.secrets:
            wanted.setdefault(use.name, set()).update(use.keys)
    for name in sorted(set(wanted) - manifest.made):
        yield _secret(cluster, name, wanted[name])
    for name in sorted(set(wanted) & manifest.made):
        yield ok("secrets", f"{name} is made by the overlay itself")
    for name in sorted({name for pod in manifest.pods for name in pod.pull_secrets} - manifest.made):
        yield _pull_secret(cluster, name)


def _secret(cluster: Cluster, name: str, keys: set[str]) -> Finding:
    found = _found(cluster, name)
    if isinstance(found, Finding):
        return found
    if missing := sorted(keys - set(found.data or {})):
        return failed(
            "secrets",
            f"{name} has no {', '.join(missing)}",
            "an empty value means `not used`, a missing key does not",
        )
    return ok("secrets", f"{name} is there" + (f" with {len(keys)} keys" if keys else ""))


def _pull_secret(cluster: Cluster, name: str) -> Finding:
    found = _found(cluster, name)
    if isinstance(found, Finding):
        return found
    if found.type not in PULL_TYPES:
        return failed("secrets", f"{name} is no pull secret: its type is {found.type or 'Opaque'}")
    return ok("secrets", f"{name} is there, for pulling images")


def _found(cluster: Cluster, name: str) -> StoredSecret | Finding:
    try:
        found = cluster.find(SECRETS, name)
    except Forbidden as error:
        return warning("secrets", f"{name} was not looked at: {error}")
    if found is None:
        advice = "create it, or let the component external-secrets make it from your store"
        return failed(
            "secrets",
            f"there is no {name} in {cluster.namespace}",
            advice,
            f"kubectl get secrets -n {cluster.namespace}",
        )
    return found


def check_storage(cluster: Cluster, manifest: Manifest) -> Iterator[Finding]:
    if not manifest.claims:
        return
    try:
        classes = cluster.find_all(STORAGE_CLASSES)
    except Forbidden as error:
        yield warning("storage", f"not looked at: {error}")
        return
    default = [found.name for found in classes if found.metadata.annotation(DEFAULT_CLASS) == "true"]
    if default:
        yield ok("storage", f"{default[0]} is the default for {', '.join(manifest.claims)}")
        return
    advice = "name a storageClassName in the claim, or mark a class as the default"
    yield failed(
        "storage",
        f"no default StorageClass for {', '.join(manifest.claims)}",
        advice,
        "kubectl get storageclasses",
    )


def check_quota(cluster: Cluster, manifest: Manifest) -> Iterator[Finding]:
    """Pods that run already are in the quota's count: then it is only a warning."""
    try:
        quotas = cluster.list(QUOTAS).items
        running = bool(cluster.list(PODS).items)
    except Forbidden as error:
        yield warning("quota", f"not looked at: {error}")
        return
    short = [text for quota in quotas for text in _short(quota, manifest.pods)]
    for text in short:
        say = warning if running else failed
        yield say(
            "quota",
            text,
            "raise the quota, or lower requests or the autoscaler's minimum",
            f"kubectl describe quota -n {cluster.namespace}",
        )
    if quotas and not short:
        yield ok("quota", f"room in {', '.join(found.name for found in quotas)}")


def _short(quota: Quota, pods: tuple[PodShape, ...]) -> Iterator[str]:
    hard, used = quota.status.hard or {}, quota.status.used or {}
    for name, limit in sorted(hard.items()):
        resource = name.removeprefix("requests.")
        if name == "pods":
            needed = Decimal(sum(pod.count for pod in pods))
        elif resource in ("cpu", "memory", "ephemeral-storage"):
            needed = sum((pod.in_all(resource) for pod in pods), Decimal(0))
        else:
            continue
        left = quantity(limit) - quantity(used.get(name, "0"))
        if needed > left:
            yield f"{quota.name} leaves {shown(resource, left)} of {name}, the pods request {shown(resource, needed)}"


def check_capacity(cluster: Cluster, manifest: Manifest) -> Iterator[Finding]:
    """Against what nodes can give in all; what else runs on them is not counted, so `ok` is no promise."""
    pods = [pod for pod in manifest.pods if pod.count]
    if not pods:
        return
    try:
        nodes = [node for node in cluster.list(NODES).items if _takes_pods(node)]
    except Forbidden as error:
        yield warning("capacity", f"not looked at: {error}")
        return
    wrong = [*_too_big(pods, nodes), *_too_many(pods, nodes)]
    yield from wrong
    if not wrong:
        needs = ", ".join(
            shown(name, _sum(pods, name)) + (" cores" if name == "cpu" else "") for name in NODE_RESOURCES
        )
        yield ok("capacity", f"{needs} requested on {len(nodes)} nodes")


def _takes_pods(node: Node) -> bool:
    ready = any(one.type == "Ready" and one.status == "True" for one in node.status.conditions)
    return ready and not node.spec.unschedulable


def _sum(pods: list[PodShape], resource: str) -> Decimal:
    return sum((pod.in_all(resource) for pod in pods), Decimal(0))


def _too_big(pods: list[PodShape], nodes: list[Node]) -> Iterator[Finding]:
    for pod in pods:
        fits = any(
            all(
                quantity((node.status.allocatable or {}).get(name, "0")) >= pod.requests[name]
                for name in NODE_RESOURCES
            )
            for node in nodes
        )
        if not fits:
            wants = ", ".join(f"{shown(name, pod.requests[name])} {name}" for name in NODE_RESOURCES)
            yield failed(
                "capacity",
                f"no node can take a pod of {pod.owner} ({wants})",
                "bigger nodes, or smaller requests",
                "kubectl describe nodes",
            )


def _too_many(pods: list[PodShape], nodes: list[Node]) -> Iterator[Finding]:
    for name in NODE_RESOURCES:
        there = sum((quantity((node.status.allocatable or {}).get(name, "0")) for node in nodes), Decimal(0))
        if (needed := _sum(pods, name)) > there:
            yield failed(
                "capacity",
                f"{shown(name, needed)} {name} requested, {len(nodes)} nodes have {shown(name, there)}",
                "more nodes",
            )
