"""How far a change of the service has come, from what its controllers really count.

A Deployment counts its own pods. An Argo Rollout that takes its template from a Deployment says by that one's generation what it
has seen: its own does not move. A KServe InferenceService (Standard mode) copies the generation of the Deployment that it keeps,
which says nothing of its own, and is ready while old pods answer: so that Deployment is followed, and compared with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from k8s.api.cluster import Scope
from k8s.api.objects import Container, Deployment, InferenceService

WORKLOAD_GENERATION = "rollout.argoproj.io/workload-generation"
INFERENCE_LABEL = "serving.kserve.io/inferenceservice"


class Phase(StrEnum):
    GOING = "going"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class Progress:
    phase: Phase
    text: str


UNSEEN = Progress(Phase.GOING, "the change has not been seen yet")


def behind_it(found: Deployment | InferenceService) -> Scope | None:
    """Which Deployments have to be looked at, too; None where the object says everything itself."""
    if isinstance(found, InferenceService):
        return Scope(labels=f"{INFERENCE_LABEL}={found.name}")
    reference = found.spec.workload_ref
    return Scope(fields=f"metadata.name={reference.name}") if reference is not None else None


def progress(
    found: Deployment | InferenceService, kind: str, behind: Sequence[Deployment] = (), *, image: str = ""
) -> Progress:
    """`behind` are the Deployments of `behind_it`; with `image` it is not done before the pods are of this one."""
    if isinstance(found, InferenceService):
        return _inference(found, behind, image)
    if kind == "rollout":
        return _rollout(found, behind, image)
    return _deployment(found, image)


def _deployment(found: Deployment, image: str) -> Progress:
    """As `kubectl rollout status` counts."""
    status, wanted = found.status, _wanted(found)
    if int(status.observed_generation) < found.metadata.generation:
        return UNSEEN
    if other := _another(found.containers, image):
        return other
    stalled = status.condition("Progressing")
    if stalled is not None and stalled.reason == "ProgressDeadlineExceeded":
        return Progress(Phase.FAILED, stalled.message or "the progress deadline is over")
    if image and not wanted:
        return Progress(Phase.GOING, "scaled to 0: nothing runs the image")
    return _counted(found, wanted)


def _counted(found: Deployment, wanted: int) -> Progress:
    status = found.status
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


def _rollout(found: Deployment, behind: Sequence[Deployment], image: str) -> Progress:
    status, source = found.status, found
    if str(status.observed_generation) != str(found.metadata.generation):
        return UNSEEN
    if (reference := found.spec.workload_ref) is not None:
        if not behind:
            return Progress(Phase.GOING, f"there is no deployment/{reference.name} to take the pods from")
        source = behind[0]
        # The controller notes a change of the Deployment as an annotation first, and works on it then.
        noted = found.metadata.annotation(WORKLOAD_GENERATION)
        if {noted, status.workload_observed_generation} != {str(source.metadata.generation)}:
            return Progress(Phase.GOING, f"the change of deployment/{source.name} has not been seen yet")
    if other := _another(source.containers, image):
        return other
    said = f"{status.phase or 'no phase yet'}: {status.message}".removesuffix(": ")
    phases = {"Healthy": Phase.DONE, "Degraded": Phase.FAILED}
    return Progress(phases.get(status.phase, Phase.GOING), said)


def _inference(found: InferenceService, behind: Sequence[Deployment], image: str) -> Progress:
    if found.containers and (other := _another(found.containers, image)):
        return other
    wrong = [c for c in found.status.conditions if c.status == "False"]
    said = "; ".join(f"{c.type}: {c.reason} {c.message}".strip() for c in wrong)
    if not behind:
        return Progress(Phase.GOING, said or "KServe has made no Deployment for it yet")
    asked = {(container.image, container.config_maps) for container in found.containers}
    for one in behind:
        if not asked <= {(container.image, container.config_maps) for container in one.containers}:
            return Progress(Phase.GOING, f"deployment/{one.name} is not changed yet")
        now = _deployment(one, image)
        if now.phase is not Phase.DONE:
            return Progress(now.phase, "; ".join(part for part in (now.text, said) if part))
    ready = found.status.condition("Ready")
    if ready is None or ready.status != "True":
        return Progress(Phase.GOING, said or "no condition yet")
    return Progress(Phase.DONE, f"{now.text}, ready at {found.status.url}".removesuffix(" at "))


def _another(containers: tuple[Container, ...], image: str) -> Progress | None:
    """Said where none of the containers is of the image: a full name, or a digest."""
    names = [container.image for container in containers]
    if not image or any(name == image or name.endswith(f"@{image}") for name in names):
        return None
    return Progress(Phase.GOING, f"waiting for {image}: asked for is {', '.join(names) or 'none'}")
