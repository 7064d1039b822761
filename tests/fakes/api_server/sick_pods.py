"""Pods that do not serve, in the words of the scheduler and the kubelet."""

from __future__ import annotations

from tests.fakes.api_server.shapes import (
    HASH,
    IMAGE,
    NAME,
    NAMESPACE,
    Json,
    condition,
    ended,
    pod,
    running,
    waiting,
)


def unschedulable(name: str = f"{NAME}-{HASH}-unsch") -> Json:
    text = "0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available."
    found = pod(
        name,
        phase="Pending",
        extra=(condition("PodScheduled", "False", "Unschedulable", text), condition("Ready", "False")),
    )
    del found["status"]["containerStatuses"], found["status"]["initContainerStatuses"]
    del found["spec"]["nodeName"]
    return found


def image_missing(name: str = f"{NAME}-{HASH}-image") -> Json:
    text = f'Back-off pulling image "{IMAGE}": ErrImagePull: rpc error: code = NotFound desc = {IMAGE}: not found'
    return pod(name, phase="Pending", container=waiting("slipway", "ImagePullBackOff", text))


def crashing(name: str = f"{NAME}-{HASH}-crash", *, restarts: int = 4) -> Json:
    text = f"back-off 1m20s restarting failed container=slipway pod={name}_{NAMESPACE}(uid)"
    return pod(name, container=waiting("slipway", "CrashLoopBackOff", text, restarts=restarts, last=ended(1)))


def out_of_memory(name: str = f"{NAME}-{HASH}-oom") -> Json:
    return pod(name, container=running("slipway", restarts=2, last=ended(137, "OOMKilled")))


def without_secret(name: str = f"{NAME}-{HASH}-mount") -> Json:
    return pod(
        name,
        phase="Pending",
        container=waiting("slipway", "PodInitializing"),
        agent=waiting("agent", "PodInitializing"),
    )


def evicted(name: str = f"{NAME}-{HASH}-evict") -> Json:
    found = pod(name, phase="Failed", extra=(condition("Ready", "False"),))
    found["status"] |= {
        "reason": "Evicted",
        "message": 'Usage of EmptyDir volume "spool" exceeds the limit "1Gi". ',
    }
    return found
