"""What is read of the cluster's objects: the fields that a verb looks at, typed; everything else is ignored."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import field


class Shape(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A part of an object. The API server leaves out what is empty, and sometimes says null."""


class Owner(Shape, frozen=True):
    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool = False


class Metadata(Shape, frozen=True):
    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    owner_references: tuple[Owner, ...] | None = None

    def label(self, name: str) -> str:
        return (self.labels or {}).get(name, "")

    def annotation(self, name: str) -> str:
        return (self.annotations or {}).get(name, "")


class Object(Shape, frozen=True):
    """Any object; `kind` is empty inside lists."""

    metadata: Metadata = Metadata()
    kind: str = ""

    @property
    def name(self) -> str:
        return self.metadata.name


class Condition(Shape, frozen=True):
    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""


class Port(Shape, frozen=True):
    name: str = ""
    container_port: int = 0


class Named(Shape, frozen=True):
    name: str = ""


class EnvironmentSource(Shape, frozen=True):
    config_map_ref: Named | None = None


class Container(Shape, frozen=True):
    name: str = ""
    image: str = ""
    ports: tuple[Port, ...] = ()
    restart_policy: str = ""
    env_from: tuple[EnvironmentSource, ...] | None = None

    @property
    def config_maps(self) -> tuple[str, ...]:
        """Whose keys are its environment. A generated one has a hash in its name: another name, another configuration."""
        return tuple(source.config_map_ref.name for source in self.env_from or () if source.config_map_ref)


class PodSpec(Shape, frozen=True):
    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()
    node_name: str = ""


class Waiting(Shape, frozen=True):
    reason: str = ""
    message: str = ""


class Terminated(Shape, frozen=True):
    reason: str = ""
    message: str = ""
    exit_code: int = 0
    signal: int = 0
    finished_at: str | None = None


class ContainerState(Shape, frozen=True):
    waiting: Waiting | None = None
    terminated: Terminated | None = None
    running: dict[str, Any] | None = None


class ContainerStatus(Shape, frozen=True):
    name: str = ""
    ready: bool = False
    started: bool | None = None
    restart_count: int = 0
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()


class PodStatus(Shape, frozen=True):
    phase: str = ""
    reason: str = ""
    message: str = ""
    conditions: tuple[Condition, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()
    init_container_statuses: tuple[ContainerStatus, ...] = ()

    def condition(self, kind: str) -> Condition | None:
        return next((condition for condition in self.conditions if condition.type == kind), None)


class Pod(Object, frozen=True):
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()

    @property
    def is_ready(self) -> bool:
        ready = self.status.condition("Ready")
        return ready is not None and ready.status == "True"

    @property
    def has_started(self) -> bool:
        """Whether a container beside the sidecars runs: only then is there somebody to ask."""
        return any(status.state.running is not None for status in self.status.container_statuses)

    @property
    def is_leaving(self) -> bool:
        return self.metadata.deletion_timestamp is not None

    @property
    def statuses(self) -> tuple[ContainerStatus, ...]:
        """Of all containers, sidecars first."""
        return self.status.init_container_statuses + self.status.container_statuses

    @property
    def sidecars(self) -> frozenset[str]:
        """Init containers that stay: native sidecars."""
        return frozenset(c.name for c in self.spec.init_containers if c.restart_policy == "Always")

    def port(self, name: str, default: int) -> int:
        """The number of a named port of any container."""
        for container in self.spec.containers + self.spec.init_containers:
            for port in container.ports:
                if port.name == name:
                    return port.container_port
        return default


class Selector(Shape, frozen=True):
    match_labels: dict[str, str] | None = None
    match_expressions: tuple[dict[str, Any], ...] | None = None

    def admits(self, labels: dict[str, str]) -> bool:
        """By `matchLabels`; with expressions, which are not read here, the answer is yes."""
        return all(labels.get(name) == value for name, value in (self.match_labels or {}).items())


class PodTemplate(Shape, frozen=True):
    spec: PodSpec = PodSpec()


class DeploymentSpec(Shape, frozen=True):
    replicas: int | None = None
    selector: Selector = Selector()
    paused: bool = False
    template: msgspec.Raw = field(default_factory=msgspec.Raw)
    workload_ref: Owner | None = None


class DeploymentStatus(Shape, frozen=True):
    """Also of an Argo Rollout, whose observed generation is text and which says in words how it is."""

    observed_generation: int | str = 0
    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    conditions: tuple[Condition, ...] = ()
    phase: str = ""
    message: str = ""
    selector: str = ""
    workload_observed_generation: str = ""

    def condition(self, kind: str) -> Condition | None:
        return next((condition for condition in self.conditions if condition.type == kind), None)


class Deployment(Object, frozen=True):
    """A Deployment, a ReplicaSet or a Rollout: what is read of them has the same names."""

    spec: DeploymentSpec = DeploymentSpec()
    status: DeploymentStatus = DeploymentStatus()

    @property
    def containers(self) -> tuple[Container, ...]:
        """Those of the pod template, but for init containers."""
        return msgspec.json.decode(self.spec.template or b"{}", type=PodTemplate).spec.containers


class InferenceStatus(Shape, frozen=True):
    """Its `observedGeneration` is not read: it is that of the Deployment that KServe keeps."""

    conditions: tuple[Condition, ...] = ()
    url: str = ""

    def condition(self, kind: str) -> Condition | None:
        return next((condition for condition in self.conditions if condition.type == kind), None)


class Predictor(Shape, frozen=True):
    """It has the fields of a pod among others; without containers of its own it names a model format."""

    containers: tuple[Container, ...] | None = None


class InferenceSpec(Shape, frozen=True):
    predictor: Predictor = Predictor()


class InferenceService(Object, frozen=True):
    spec: InferenceSpec = InferenceSpec()
    status: InferenceStatus = InferenceStatus()

    @property
    def containers(self) -> tuple[Container, ...]:
        return self.spec.predictor.containers or ()


class Involved(Shape, frozen=True):
    kind: str = ""
    name: str = ""
    uid: str = ""


class Event(Object, frozen=True):
    involved_object: Involved = Involved()
    type: str = ""
    reason: str = ""
    message: str = ""
    count: int | None = None
    first_timestamp: str | None = None
    last_timestamp: str | None = None
    event_time: str | None = None

    @property
    def at(self) -> str:
        return self.last_timestamp or self.event_time or self.metadata.creation_timestamp or ""
