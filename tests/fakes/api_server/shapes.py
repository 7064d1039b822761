"""Objects as a cluster shows them: what controllers, the scheduler and the kubelet write, in their words."""

from __future__ import annotations

import copy
from typing import Any

Json = dict[str, Any]
NAMESPACE = "slipway-staging"
NAME = "slipway"
HASH = "6d8f9c7b54"
LABELS = {
    "app.kubernetes.io/name": NAME,
    "app.kubernetes.io/component": "service",
    "app.kubernetes.io/part-of": NAME,
}
SELECTOR = {name: LABELS[name] for name in ("app.kubernetes.io/name", "app.kubernetes.io/component")}
NOW, EARLIER = "2026-11-21T12:00:00Z", "2026-11-21T11:00:00Z"
IMAGE = "registry.example/slipway@sha256:" + "a" * 64
REVISION = "deployment.kubernetes.io/revision"


def template(image: str = IMAGE, **labels: str) -> Json:
    return {
        "metadata": {"labels": {**LABELS, **labels}},
        "spec": {
            "initContainers": [
                {
                    "name": "agent",
                    "image": image,
                    "args": ["serving.agent"],
                    "restartPolicy": "Always",
                    "ports": [{"name": "agent-metrics", "containerPort": 9101}],
                }
            ],
            "containers": [
                {
                    "name": "slipway",
                    "image": image,
                    "args": ["serving"],
                    "ports": [
                        {"name": "http", "containerPort": 8000},
                        {"name": "metrics", "containerPort": 9100},
                    ],
                }
            ],
            "volumes": [{"name": "settings", "configMap": {"name": "slipway-settings-7d8k2"}}],
        },
    }


def condition(kind: str, status: str, reason: str = "", message: str = "") -> Json:
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": NOW,
    }


def deployment(
    *,
    wanted: int = 2,
    updated: int = 2,
    available: int = 2,
    total: int | None = None,
    observed: int = 1,
    conditions: tuple[Json, ...] = (),
    annotations: Json | None = None,
    image: str = IMAGE,
) -> Json:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": NAME,
            "namespace": NAMESPACE,
            "labels": LABELS,
            "generation": observed,
            "annotations": {REVISION: "2", **(annotations or {})},
        },
        "spec": {
            "replicas": wanted,
            "progressDeadlineSeconds": 300,
            "selector": {"matchLabels": SELECTOR},
            "template": template(image),
        },
        "status": {
            "observedGeneration": observed,
            "replicas": updated if total is None else total,
            "updatedReplicas": updated,
            "readyReplicas": available,
            "availableReplicas": available,
            "conditions": list(conditions)
            or [
                condition(
                    "Progressing", "True", "NewReplicaSetAvailable", "ReplicaSet has successfully progressed."
                )
            ],
        },
    }


def stalled(**more: Any) -> Json:
    text = f'ReplicaSet "{NAME}-{HASH}" has timed out progressing.'
    return deployment(
        updated=1,
        available=0,
        total=3,
        conditions=(condition("Progressing", "False", "ProgressDeadlineExceeded", text),),
        **more,
    )


def over_quota() -> Json:
    text = (
        f'pods "{NAME}-{HASH}-x7k2p" is forbidden: exceeded quota: team, requested: requests.cpu=1, '
        "used: requests.cpu=4, limited: requests.cpu=4"
    )
    return deployment(
        updated=0,
        available=0,
        total=0,
        conditions=(condition("ReplicaFailure", "True", "FailedCreate", text),),
    )


def replica_set(
    revision: int, *, image: str, replicas: int = 0, owner: str = f"uid-deployments-{NAME}"
) -> Json:
    digest = f"{HASH[:-1]}{revision}"
    shape = template(image)
    shape["metadata"]["labels"]["pod-template-hash"] = digest
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{NAME}-{digest}",
            "namespace": NAMESPACE,
            "labels": {**LABELS, "pod-template-hash": digest},
            "annotations": {REVISION: str(revision)},
            "ownerReferences": [
                {
                    "apiVersion": "apps/v1",
                    "kind": "Deployment",
                    "name": NAME,
                    "uid": owner,
                    "controller": True,
                }
            ],
        },
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {**SELECTOR, "pod-template-hash": digest}},
            "template": shape,
        },
        "status": {"replicas": replicas, "observedGeneration": 1},
    }


def running(
    name: str, *, ready: bool = True, restarts: int = 0, last: Json | None = None, started: bool = True
) -> Json:
    return {
        "name": name,
        "ready": ready,
        "started": started,
        "restartCount": restarts,
        "image": IMAGE,
        "imageID": IMAGE,
        "state": {"running": {"startedAt": NOW}},
        "lastState": {"terminated": last} if last else {},
    }


def ended(code: int, reason: str = "Error") -> Json:
    return {
        "exitCode": code,
        "reason": reason,
        "startedAt": EARLIER,
        "finishedAt": NOW,
        "containerID": "containerd://1",
    }


def waiting(
    name: str, reason: str, message: str = "", *, restarts: int = 0, last: Json | None = None
) -> Json:
    shown = {"reason": reason} | ({"message": message} if message else {})
    return {
        "name": name,
        "ready": False,
        "started": False,
        "restartCount": restarts,
        "image": IMAGE,
        "imageID": "",
        "state": {"waiting": shown},
        "lastState": {"terminated": last} if last else {},
    }


def pod(
    name: str = f"{NAME}-{HASH}-aaaaa",
    *,
    container: Json | None = None,
    agent: Json | None = None,
    phase: str = "Running",
    extra: tuple[Json, ...] = (),
    labels: Json | None = None,
) -> Json:
    """Ready unless a container or a condition says otherwise."""
    service, sidecar = container or running("slipway"), agent or running("agent")
    ready = service["ready"] and sidecar["ready"]
    conditions = [
        condition("PodScheduled", "True"),
        condition("Initialized", "True"),
        condition("ContainersReady", str(ready), "" if ready else "ContainersNotReady"),
        condition("Ready", str(ready), "" if ready else "ContainersNotReady"),
    ]
    kept = [c for c in conditions if c["type"] not in {one["type"] for one in extra}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "labels": {**LABELS, "pod-template-hash": HASH, **(labels or {})},
            "ownerReferences": [
                {
                    "apiVersion": "apps/v1",
                    "kind": "ReplicaSet",
                    "name": f"{NAME}-{HASH}",
                    "uid": "u",
                    "controller": True,
                }
            ],
        },
        "spec": {**copy.deepcopy(template()["spec"]), "nodeName": "node-1"},
        "status": {
            "phase": phase,
            "conditions": [*kept, *extra],
            "initContainerStatuses": [sidecar],
            "containerStatuses": [service],
        },
    }


def event(
    about: Json, reason: str, message: str, *, kind: str = "Warning", at: str = NOW, count: int = 1
) -> Json:
    name = about["metadata"]["name"]
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{name}.{reason.lower()}", "namespace": NAMESPACE},
        "involvedObject": {"kind": about["kind"], "name": name, "namespace": NAMESPACE},
        "type": kind,
        "reason": reason,
        "message": message,
        "count": count,
        "firstTimestamp": EARLIER,
        "lastTimestamp": at,
        "eventTime": None,
        "source": {"component": "kubelet"},
    }
