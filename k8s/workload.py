"""What runs the service: a Deployment, an Argo Rollout or a KServe InferenceService, and which pods are its own."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from k8s.api.cluster import Cluster
from k8s.api.kinds import DEPLOYMENTS, INFERENCE_SERVICES, ROLLOUTS, Kind
from k8s.api.objects import Deployment, InferenceService, Selector
from k8s.errors import Forbidden, Misused
from k8s.progress import INFERENCE_LABEL

KINDS: dict[str, Kind[Any]] = {
    "deployment": DEPLOYMENTS,
    "rollout": ROLLOUTS,
    "inferenceservice": INFERENCE_SERVICES,
}
NAME = "slipway"
SERVICE_LABELS = "app.kubernetes.io/name=slipway,app.kubernetes.io/component=service"
# A Rollout stands before a Deployment that it holds at 0 replicas.
LIKELY = ("rollout", "deployment", "inferenceservice")


@dataclass(frozen=True)
class Workload:
    kind: str
    name: str

    @property
    def api(self) -> Kind[Any]:
        return KINDS[self.kind]

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


def parse_workload(text: str) -> Workload:
    """`deployment/slipway`, or a bare name for a Deployment."""
    kind, _, name = text.rpartition("/")
    found = (kind or "deployment").lower().removesuffix("s")
    if found not in KINDS or not name:
        raise Misused(f"{text}: KIND/NAME is wanted, with one of the kinds {', '.join(KINDS)}")
    return Workload(found, name)


def the_workload(cluster: Cluster, text: str) -> Workload:
    """The one that is named; otherwise whatever runs the service here."""
    if text:
        return parse_workload(text)
    for kind in LIKELY:
        with suppress(Forbidden):
            if cluster.find(KINDS[kind], NAME) is not None:
                return Workload(kind, NAME)
    return Workload("deployment", NAME)


def pod_labels(cluster: Cluster, workload: Workload, found: Deployment | InferenceService) -> str:
    """The label selector of its pods."""
    if isinstance(found, InferenceService):
        return f"{INFERENCE_LABEL}={found.name}"
    if found.status.selector:
        return found.status.selector
    selector = found.spec.selector
    if not selector.match_labels and found.spec.workload_ref is not None:
        selector = cluster.get(DEPLOYMENTS, found.spec.workload_ref.name).spec.selector
    return written(selector)


def service_labels(cluster: Cluster) -> str:
    """The labels of the service's pods: as its workload selects them, or those of our manifests where none can be seen."""
    with suppress(Forbidden):
        workload = the_workload(cluster, "")
        found = cluster.find(workload.api, workload.name)
        if found is not None:
            return pod_labels(cluster, workload, found)
    return SERVICE_LABELS


def written(selector: Selector) -> str:
    return ",".join(f"{name}={value}" for name, value in (selector.match_labels or {}).items())
