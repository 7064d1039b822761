"""The kinds that the verbs read, each with the place where the API server keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from k8s.api.objects import Deployment, Event, InferenceService, Object, Pod
from k8s.api.surroundings import (
    Application,
    Autoscaler,
    Budget,
    Monitor,
    NetworkPolicy,
    Node,
    Quota,
    Service,
    StoredSecret,
)

T = TypeVar("T", bound=Object)


@dataclass(frozen=True)
class Kind(Generic[T]):
    """`group_version` is `v1` or `apps/v1`; `shape` is what an object is read as."""

    group_version: str
    plural: str
    shape: type[T]
    namespaced: bool = True

    @property
    def group(self) -> str:
        return self.group_version.rpartition("/")[0]

    def path(self, namespace: str, name: str = "") -> str:
        root = "/apis" if "/" in self.group_version else "/api"
        place = f"/namespaces/{namespace}" if self.namespaced else ""
        return f"{root}/{self.group_version}{place}/{self.plural}" + (f"/{name}" if name else "")


PODS = Kind("v1", "pods", Pod)
EVENTS = Kind("v1", "events", Event)
SERVICES = Kind("v1", "services", Service)
CONFIG_MAPS = Kind("v1", "configmaps", Object)
SECRETS = Kind("v1", "secrets", StoredSecret)
QUOTAS = Kind("v1", "resourcequotas", Quota)
NAMESPACES = Kind("v1", "namespaces", Object, namespaced=False)
NODES = Kind("v1", "nodes", Node, namespaced=False)
DEPLOYMENTS = Kind("apps/v1", "deployments", Deployment)
REPLICA_SETS = Kind("apps/v1", "replicasets", Deployment)
AUTOSCALERS = Kind("autoscaling/v2", "horizontalpodautoscalers", Autoscaler)
BUDGETS = Kind("policy/v1", "poddisruptionbudgets", Budget)
NETWORK_POLICIES = Kind("networking.k8s.io/v1", "networkpolicies", NetworkPolicy)
STORAGE_CLASSES = Kind("storage.k8s.io/v1", "storageclasses", Object, namespaced=False)
SERVICE_MONITORS = Kind("monitoring.coreos.com/v1", "servicemonitors", Monitor)
ROLLOUTS = Kind("argoproj.io/v1alpha1", "rollouts", Deployment)
APPLICATIONS = Kind("argoproj.io/v1alpha1", "applications", Application)
INFERENCE_SERVICES = Kind("serving.kserve.io/v1beta1", "inferenceservices", InferenceService)
