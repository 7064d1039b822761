"""Everything that can be looked at, collected once; what may not be looked at is remembered, and nothing else is lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from k8s.api.cluster import Cluster, Scope
from k8s.api.kinds import (
    AUTOSCALERS,
    BUDGETS,
    DEPLOYMENTS,
    EVENTS,
    NETWORK_POLICIES,
    SERVICE_MONITORS,
    SERVICES,
)
from k8s.api.objects import Deployment, Event, Pod
from k8s.api.surroundings import Autoscaler, Budget, Monitor, NetworkPolicy, Service
from k8s.errors import ClusterError, Forbidden, Missing
from k8s.forwarding import AGENT_PORT, METRICS_PORT, PodEndpoint, service_pods
from k8s.loaded_models import PodModels, read_pod
from k8s.pod_troubles import PodFacts
from k8s.progress import behind_it
from k8s.scrape import Scrape
from k8s.witness import Witness
from k8s.workload import SERVICE_LABELS, Workload, pod_labels

T = TypeVar("T")
NONE = Scrape("")


@dataclass(frozen=True, kw_only=True)
class PodView:
    """One pod: its state, what it serves, and the figures of both its programs (empty where they cannot be read)."""

    facts: PodFacts
    models: PodModels | None
    service: Scrape
    agent: Scrape

    @property
    def pod(self) -> Pod:
        return self.facts.pod


@dataclass(frozen=True, kw_only=True)
class ClusterFacts:
    """`found` is None where there is no such workload; `behind` are Deployments that it stands before; `unseen` says what may
    not be looked at.
    """

    workload: Workload
    namespace: str
    found: Any
    behind: tuple[Deployment, ...]
    pods: tuple[PodView, ...]
    events: tuple[Event, ...]
    services: tuple[Service, ...]
    autoscalers: tuple[Autoscaler, ...]
    budgets: tuple[Budget, ...]
    policies: tuple[NetworkPolicy, ...]
    monitors: tuple[Monitor, ...] | None
    unseen: tuple[str, ...]


class Collector:
    """Looks at one thing after another. A refusal is a fact; an API server that is away is an error."""

    def __init__(self, cluster: Cluster, token: str) -> None:
        self._cluster, self._token = cluster, token
        self._unseen: list[str] = []

    def collect(self, workload: Workload) -> ClusterFacts:
        cluster = self._cluster
        found = self._seen(lambda: cluster.find(workload.api, workload.name), None)
        events = self._all(lambda: cluster.list(EVENTS).items)
        labels = pod_labels(cluster, workload, found) if found is not None else SERVICE_LABELS
        pods = self._all(lambda: service_pods(cluster, labels))
        witness = Witness(cluster)
        return ClusterFacts(
            workload=workload,
            namespace=cluster.namespace,
            found=found,
            behind=self._all(lambda: self._behind(found)),
            pods=tuple(self._view(pod, witness.facts(pod, events)) for pod in pods),
            events=events,
            services=self._all(lambda: cluster.list(SERVICES).items),
            autoscalers=self._all(lambda: cluster.find_all(AUTOSCALERS)),
            budgets=self._all(lambda: cluster.find_all(BUDGETS)),
            policies=self._all(lambda: cluster.find_all(NETWORK_POLICIES)),
            monitors=self._seen(self._monitors, None),
            unseen=tuple(self._unseen),
        )

    def _behind(self, found: Any) -> tuple[Deployment, ...]:
        scope = behind_it(found) if found is not None else None
        return self._cluster.find_all(DEPLOYMENTS, scope) if scope is not None else ()

    def _monitors(self) -> tuple[Monitor, ...] | None:
        """None where the Prometheus operator is not installed."""
        try:
            return self._cluster.list(SERVICE_MONITORS, Scope()).items
        except Missing:
            return None

    def _view(self, pod: Pod, facts: PodFacts) -> PodView:
        if not pod.has_started:
            return PodView(facts=facts, models=None, service=NONE, agent=NONE)
        return PodView(
            facts=facts,
            models=read_pod(self._cluster, pod, self._token),
            service=self._scrape(pod, METRICS_PORT),
            agent=self._scrape(pod, AGENT_PORT),
        )

    def _scrape(self, pod: Pod, port: tuple[str, int]) -> Scrape:
        with PodEndpoint(self._cluster, pod, port) as endpoint:
            try:
                answer = endpoint.ask("GET", "/metrics")
            except ClusterError:
                return NONE
        return Scrape(answer.body.decode("utf-8", "replace")) if answer.status == 200 else NONE

    def _all(self, look: Callable[[], tuple[T, ...]]) -> tuple[T, ...]:
        return self._seen(look, ())

    def _seen(self, look: Callable[[], T], otherwise: T) -> T:
        try:
            return look()
        except Forbidden as error:
            self._unseen.append(str(error))
            return otherwise
