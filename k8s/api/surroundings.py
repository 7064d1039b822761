"""The objects around the pods: what reaches, scales, protects and measures them, and who manages them."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import field

from k8s.api.objects import Condition, Object, Selector, Shape


class ServicePort(Shape, frozen=True):
    name: str = ""
    port: int = 0


class ServiceSpec(Shape, frozen=True):
    selector: dict[str, str] | None = None
    ports: tuple[ServicePort, ...] = ()


class Service(Object, frozen=True):
    spec: ServiceSpec = ServiceSpec()


class ScaleTarget(Shape, frozen=True):
    kind: str = ""
    name: str = ""


class AutoscalerSpec(Shape, frozen=True):
    min_replicas: int = 1
    max_replicas: int = 0
    scale_target_ref: ScaleTarget = ScaleTarget()


class AutoscalerStatus(Shape, frozen=True):
    current_replicas: int = 0
    desired_replicas: int = 0
    conditions: tuple[Condition, ...] | None = None


class Autoscaler(Object, frozen=True):
    spec: AutoscalerSpec = AutoscalerSpec()
    status: AutoscalerStatus = AutoscalerStatus()


class BudgetSpec(Shape, frozen=True):
    selector: Selector | None = None


class BudgetStatus(Shape, frozen=True):
    disruptions_allowed: int = 0
    current_healthy: int = 0
    desired_healthy: int = 0
    expected_pods: int = 0


class Budget(Object, frozen=True):
    spec: BudgetSpec = BudgetSpec()
    status: BudgetStatus = BudgetStatus()


class PolicySpec(Shape, frozen=True):
    pod_selector: Selector = Selector()
    policy_types: tuple[str, ...] = ()
    ingress: tuple[dict[str, Any], ...] | None = None
    egress: tuple[dict[str, Any], ...] | None = None


class NetworkPolicy(Object, frozen=True):
    spec: PolicySpec = PolicySpec()


class MonitorEndpoint(Shape, frozen=True):
    port: str = ""


class MonitorSpec(Shape, frozen=True):
    selector: Selector = Selector()
    endpoints: tuple[MonitorEndpoint, ...] = ()


class Monitor(Object, frozen=True):
    spec: MonitorSpec = MonitorSpec()


class QuotaStatus(Shape, frozen=True):
    hard: dict[str, str] | None = None
    used: dict[str, str] | None = None


class Quota(Object, frozen=True):
    status: QuotaStatus = QuotaStatus()


class NodeSpec(Shape, frozen=True):
    unschedulable: bool = False


class NodeStatus(Shape, frozen=True):
    allocatable: dict[str, str] | None = None
    conditions: tuple[Condition, ...] = ()


class Node(Object, frozen=True):
    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()


class StoredSecret(Object, frozen=True):
    """Names of the keys are what is looked at; of the values only the signing key, by who asks for it (`--sign-from-secret`)."""

    type: str = ""
    data: dict[str, msgspec.Raw] | None = None


class Source(Shape, frozen=True):
    repo_url: str = field(default="", name="repoURL")
    path: str = ""
    target_revision: str = ""


class SyncPolicy(Shape, frozen=True):
    automated: dict[str, Any] | None = None

    @property
    def is_automated(self) -> bool:
        return self.automated is not None and self.automated.get("enabled", True) is not False


class ApplicationSpec(Shape, frozen=True):
    source: Source = Source()
    sync_policy: SyncPolicy | None = None


class SyncStatus(Shape, frozen=True):
    status: str = ""
    revision: str = ""


class ApplicationStatus(Shape, frozen=True):
    sync: SyncStatus = SyncStatus()


class Application(Object, frozen=True):
    spec: ApplicationSpec = ApplicationSpec()
    status: ApplicationStatus = ApplicationStatus()
