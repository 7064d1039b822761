"""The objects around the pods, as controllers leave them."""

from __future__ import annotations

from typing import Any

from tests.fakes.api_server.shapes import LABELS, NAME, NAMESPACE, SELECTOR, Json, condition


def service(*, selector: Json | None = None, labels: Json | None = None) -> Json:
    ports = [
        {"name": name, "port": port, "targetPort": name, "protocol": "TCP"}
        for name, port in (("http", 8000), ("metrics", 9100), ("agent-metrics", 9101))
    ]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": NAME, "namespace": NAMESPACE, "labels": labels or LABELS},
        "spec": {"type": "ClusterIP", "selector": selector or SELECTOR, "ports": ports},
    }


def autoscaler(*, current: int = 3, most: int = 12, conditions: tuple[Json, ...] = ()) -> Json:
    usual = (
        condition("AbleToScale", "True", "ReadyForNewScale", "recommended size matches current size"),
        condition(
            "ScalingActive", "True", "ValidMetricFound", "the HPA was able to compute the replica count"
        ),
        condition(
            "ScalingLimited",
            "False",
            "DesiredWithinRange",
            "the desired count is within the acceptable range",
        ),
    )
    told = {one["type"] for one in conditions}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": NAME, "namespace": NAMESPACE},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": NAME},
            "minReplicas": 3,
            "maxReplicas": most,
        },
        "status": {
            "currentReplicas": current,
            "desiredReplicas": current,
            "currentMetrics": None,
            "conditions": [*(one for one in usual if one["type"] not in told), *conditions],
        },
    }


def without_metrics() -> Json:
    text = (
        "the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get metrics for "
        "resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested "
        "resource (get pods.metrics.k8s.io)"
    )
    return autoscaler(conditions=(condition("ScalingActive", "False", "FailedGetResourceMetric", text),))


def at_maximum() -> Json:
    text = "the desired replica count is more than the maximum replica count"
    return autoscaler(current=12, conditions=(condition("ScalingLimited", "True", "TooManyReplicas", text),))


def budget(*, allowed: int = 1, healthy: int = 3, wanted: int = 2, pods: int = 3) -> Json:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": NAME, "namespace": NAMESPACE},
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": SELECTOR}},
        "status": {
            "disruptionsAllowed": allowed,
            "currentHealthy": healthy,
            "desiredHealthy": wanted,
            "expectedPods": pods,
            "observedGeneration": 1,
        },
    }


def default_deny() -> Json:
    return policy("default-deny", selector={}, types=("Ingress", "Egress"))


def policy(
    name: str,
    *,
    selector: Json | None = None,
    types: tuple[str, ...] = ("Ingress",),
    ingress: list[Any] | None = None,
    egress: list[Any] | None = None,
) -> Json:
    chosen = {"matchLabels": SELECTOR} if selector is None else selector
    rules = {name: value for name, value in (("ingress", ingress), ("egress", egress)) if value is not None}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"podSelector": chosen, "policyTypes": list(types), **rules},
    }


def allowing(*, dns: bool = True, http: bool = True, metrics: bool = True) -> Json:
    inward = [
        {"ports": [{"port": name, "protocol": "TCP"}]}
        for name, on in (("http", http), ("metrics", metrics))
        if on
    ]
    outward: list[Any] = [{"ports": [{"port": 5432, "protocol": "TCP"}]}]
    if dns:
        outward.append({"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]})
    return policy("slipway", types=("Ingress", "Egress"), ingress=inward, egress=outward)


def monitor(*, labels: Json | None = None, port: str = "metrics") -> Json:
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": {"name": NAME, "namespace": NAMESPACE, "labels": LABELS},
        "spec": {"selector": {"matchLabels": labels or SELECTOR}, "endpoints": [{"port": port}]},
    }


def namespace(level: str = "restricted") -> Json:
    labels = {"pod-security.kubernetes.io/enforce": level} if level else {}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}}


def node(name: str = "node-1", *, cpu: str = "8", memory: str = "32Gi", ready: str = "True") -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name},
        "spec": {},
        "status": {
            "allocatable": {"cpu": cpu, "memory": memory, "pods": "110"},
            "conditions": [condition("Ready", ready, "KubeletReady")],
        },
    }


def quota(**left: tuple[str, str]) -> Json:
    """By resource: what is allowed and what is used; `requests_cpu` is `requests.cpu`."""
    named = {name.replace("_", "."): amounts for name, amounts in left.items()}
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "team", "namespace": NAMESPACE},
        "status": {
            "hard": {name: hard for name, (hard, _) in named.items()},
            "used": {name: used for name, (_, used) in named.items()},
        },
    }


def storage_class(*, default: bool) -> Json:
    annotations = {"storageclass.kubernetes.io/is-default-class": "true"} if default else {}
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "standard", "annotations": annotations},
        "provisioner": "example.org/disks",
    }


def secret(name: str, *keys: str, kind: str = "Opaque") -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "type": kind,
        "data": {key: "c2VjcmV0" for key in keys},
    }
