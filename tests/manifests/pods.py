"""Where pods hide in rendered objects: in the template of a workload, in a job of a job, in what KServe will make."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from deploy.manifests.objects import Manifest

WORKLOADS = {"Deployment", "StatefulSet", "DaemonSet", "Job", "ReplicaSet"}
LONG_RUNNING = {"Deployment", "StatefulSet", "DaemonSet", "InferenceService"}
# Fields of a KServe component that are not the pod's.
COMPONENT_FIELDS = {
    "minReplicas",
    "maxReplicas",
    "scaleTarget",
    "scaleMetric",
    "labels",
    "annotations",
    "model",
}


@dataclass(frozen=True, eq=False)
class Pod:
    owner: Manifest
    path: str  # of the pod's spec in its owner
    spec: dict[str, Any]
    labels: dict[str, str]
    annotations: dict[str, str]

    def __str__(self) -> str:
        return f"{self.owner.identity}"

    @property
    def namespace(self) -> str:
        return self.owner.identity.namespace

    @property
    def component(self) -> str:
        return self.labels.get("app.kubernetes.io/component", "")

    @property
    def long_running(self) -> bool:
        return self.owner.identity.kind in LONG_RUNNING

    @property
    def containers(self) -> list[dict[str, Any]]:
        """All of them; a native sidecar is an init container that stays."""
        return [*self.spec.get("initContainers", ()), *self.spec.get("containers", ())]

    @property
    def running(self) -> list[dict[str, Any]]:
        """Those that run beside each other: containers, and native sidecars."""
        sidecars = [c for c in self.spec.get("initContainers", ()) if c.get("restartPolicy") == "Always"]
        return [*sidecars, *self.spec.get("containers", ())]

    def container(self, name: str) -> dict[str, Any] | None:
        return next((container for container in self.containers if container["name"] == name), None)

    def volume(self, name: str) -> dict[str, Any] | None:
        return next((volume for volume in self.spec.get("volumes", ()) if volume["name"] == name), None)


def pods(manifests: Iterable[Manifest]) -> list[Pod]:
    return [pod for manifest in manifests for pod in _pods(manifest)]


def _pods(manifest: Manifest) -> Iterator[Pod]:
    kind, body = manifest.identity.kind, manifest.body
    spec = body.get("spec") or {}
    if kind == "Pod":
        yield _pod(manifest, "spec", spec, body["metadata"])
    elif kind in WORKLOADS:
        yield _template(manifest, "spec/template", spec["template"])
    elif kind == "CronJob":
        yield _template(manifest, "spec/jobTemplate/spec/template", spec["jobTemplate"]["spec"]["template"])
    elif kind == "Rollout" and "template" in spec:
        yield _template(manifest, "spec/template", spec["template"])
    elif kind == "InferenceService":
        yield _inference_service(manifest, spec["predictor"])
    elif kind in {"ClusterServingRuntime", "ServingRuntime"}:
        yield _pod(
            manifest,
            "spec",
            spec,
            {"labels": spec.get("labels", {}), "annotations": spec.get("annotations", {})},
        )


def _template(manifest: Manifest, path: str, template: dict[str, Any]) -> Pod:
    return _pod(manifest, f"{path}/spec", template["spec"], template.get("metadata") or {})


def _inference_service(manifest: Manifest, predictor: dict[str, Any]) -> Pod:
    """KServe adds labels of its own: Services and policies select by them."""
    name = manifest.identity.name
    labels = {
        **(manifest.body["metadata"].get("labels") or {}),
        **(predictor.get("labels") or {}),
        "serving.kserve.io/inferenceservice": name,
        "component": "predictor",
        "app": f"isvc.{name}-predictor",
    }
    annotations = {**(predictor.get("annotations") or {})}
    return _pod(manifest, "spec/predictor", predictor, {"labels": labels, "annotations": annotations})


def _pod(manifest: Manifest, path: str, spec: dict[str, Any], metadata: dict[str, Any]) -> Pod:
    return Pod(manifest, path, spec, metadata.get("labels") or {}, metadata.get("annotations") or {})
