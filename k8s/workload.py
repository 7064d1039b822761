"""What runs the service: a Deployment, an Argo Rollout or a KServe InferenceService, and how far its change has come."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from k8s.api.cluster import Cluster
from k8s.api.kinds import DEPLOYMENTS, INFERENCE_SERVICES, ROLLOUTS, Kind
from k8s.api.objects import Deployment, InferenceService, Selector
from k8s.errors import Forbidden, Misused

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


class Phase(StrEnum):
    GOING = "going"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class Progress:
    phase: Phase
    text: str


def progress(found: Deployment | InferenceService, workload: Workload) -> Progress:
    if isinstance(found, InferenceService):
        return _inference(found)
    if workload.kind == "rollout":
        return _rollout(found)
    return _deployment(found)


def _deployment(found: Deployment) -> Progress:
    """As `kubectl rollout status` counts."""
    status, wanted = found.status, _wanted(found)
    if int(status.observed_generation) < found.metadata.generation:
        return Progress(Phase.GOING, "the change has not been seen yet")
    stalled = status.condition("Progressing")
    if stalled is not None and stalled.reason == "ProgressDeadlineExceeded":
        return Progress(Phase.FAILED, stalled.message or "the progress deadline is over")
    counted = f"{status.updated_replicas} of {wanted} new, {status.available_replicas} available"
    if status.updated_replicas < wanted:
        return Progress(Phase.GOING, counted)
    if (old := status.replicas - status.updated_replicas) > 0:
        return Progress(Phase.GOING, f"{counted}, {old} old to go")
    if status.available_replicas < status.updated_replicas:
        return Progress(Phase.GOING, counted)
    if found.spec.paused:
        return Progress(Phase.GOING, f"{counted}, paused")
    return Progress(Phase.DONE, counted)


def _wanted(found: Deployment) -> int:
    """One where nothing is said: the API server's default."""
    return 1 if found.spec.replicas is None else found.spec.replicas


def _rollout(found: Deployment) -> Progress:
    status = found.status
    if str(status.observed_generation) != str(found.metadata.generation):
        return Progress(Phase.GOING, "the change has not been seen yet")
    said = f"{status.phase or 'no phase yet'}: {status.message}".removesuffix(": ")
    phases = {"Healthy": Phase.DONE, "Degraded": Phase.FAILED}
    return Progress(phases.get(status.phase, Phase.GOING), said)


def _inference(found: InferenceService) -> Progress:
    if found.status.observed_generation < found.metadata.generation:
        return Progress(Phase.GOING, "the change has not been seen yet")
    ready = found.status.condition("Ready")
    if ready is not None and ready.status == "True":
        return Progress(Phase.DONE, f"ready at {found.status.url}".removesuffix(" at "))
    wrong = [c for c in found.status.conditions if c.status == "False"]
    said = "; ".join(f"{c.type}: {c.reason} {c.message}".strip() for c in wrong)
    return Progress(Phase.GOING, said or "no condition yet")


def pod_labels(cluster: Cluster, workload: Workload, found: Deployment | InferenceService) -> str:
    """The label selector of its pods."""
    if isinstance(found, InferenceService):
        return f"serving.kserve.io/inferenceservice={found.name}"
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
