"""The language of the policy suite: a rule looks at what an overlay renders to, and says what is wrong and where."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from deploy.manifests.objects import HASH, Manifest
from tests.manifests.pods import Pod, pods

OURS = {"slipway", "slipway-training"}
SIZES = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "k": 10**3, "M": 10**6, "G": 10**9, "": 1}


@dataclass(frozen=True)
class Finding:
    what: str
    where: str  # an object, or an object and a container

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(frozen=True)
class Rendered:
    """An overlay as the rules see it."""

    overlay: str
    manifests: tuple[Manifest, ...]

    @cached_property
    def pods(self) -> list[Pod]:
        return pods(self.manifests)

    @property
    def dev(self) -> bool:
        return self.overlay == "dev"

    @property
    def service_pods(self) -> list[Pod]:
        """Pods that answer requests, whoever makes them."""
        return [pod for pod in self.pods if any(answers(container) for container in pod.containers)]

    def of(self, *kinds: str) -> list[Manifest]:
        return [manifest for manifest in self.manifests if manifest.identity.kind in kinds]

    def find(self, kind: str, name: str) -> Manifest | None:
        return next((manifest for manifest in self.of(kind) if manifest.identity.name == name), None)

    @property
    def settings(self) -> dict[str, str]:
        """The ConfigMap that all of our pods read."""
        return self.configuration("slipway-settings")

    def configuration(self, name: str) -> dict[str, str]:
        for manifest in self.of("ConfigMap"):
            if name in (manifest.identity.name, HASH.sub("", manifest.identity.name)):
                return dict(manifest.body.get("data") or {})
        return {}

    def containers(self) -> Iterator[tuple[Pod, dict[str, Any]]]:
        for pod in self.pods:
            for container in pod.containers:
                yield pod, container

    def environment(self, container: dict[str, Any]) -> dict[str, str]:
        """What the container's process would see of plain values: `envFrom`, then `env`."""
        found: dict[str, str] = {}
        for source in container.get("envFrom", ()):
            found |= self.configuration(source.get("configMapRef", {}).get("name", ""))
        return found | {item["name"]: item["value"] for item in container.get("env", ()) if "value" in item}


Check = Callable[[Rendered], Iterable[Finding]]


@dataclass(frozen=True)
class Rule:
    name: str
    reason: str
    check: Check

    def findings(self, rendered: Rendered) -> list[Finding]:
        return list(self.check(rendered))


def rule(name: str, reason: str) -> Callable[[Check], Rule]:
    """Gives a function the name and the reason that people read when it finds something."""

    def named(check: Check) -> Rule:
        return Rule(name, reason, check)

    return named


def found(owner: Manifest | Pod, what: str, container: dict[str, Any] | None = None) -> Finding:
    where = str(owner.identity if isinstance(owner, Manifest) else owner)
    return Finding(what, f"{where}, container {container['name']}" if container else where)


def answers(container: dict[str, Any]) -> bool:
    """The request process: our image, asked to serve."""
    return repository(container) == "slipway" and container.get("args") == ["serving"]


def is_agent(container: dict[str, Any]) -> bool:
    """The agent as a sidecar, or filling the store once before anything starts, by itself or from a shell."""
    return repository(container) == "slipway" and "serving.agent" in " ".join(container.get("args", ()))


def repository(container: dict[str, Any]) -> str:
    """`slipway` of `registry.example/team/slipway:1.2@sha256:…`."""
    name = container.get("image", "").split("@")[0].rsplit("/", 1)[-1]
    return name.split(":")[0]


def ours(container: dict[str, Any]) -> bool:
    return repository(container) in OURS


def selects(selector: dict[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Kubernetes' label selectors; an empty one selects everything, a missing one nothing."""
    if selector is None:
        return False
    wanted = selector.get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(_expression(expression, labels) for expression in selector.get("matchExpressions") or ())


def _expression(expression: dict[str, Any], labels: Mapping[str, str]) -> bool:
    value, values = labels.get(expression["key"]), expression.get("values") or []
    match expression["operator"]:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case _:
            return value is None


def size(quantity: str | float) -> float:
    """Bytes, or cores, of a Kubernetes quantity."""
    text = str(quantity)
    if text.endswith("m"):
        return float(text[:-1]) / 1000
    number = text.rstrip("KMGTki")
    return float(number) * SIZES[text[len(number) :]]


def annotation(manifest: Manifest, name: str) -> str:
    return str((manifest.body["metadata"].get("annotations") or {}).get(name, ""))


def labels_of(manifest: Manifest) -> dict[str, str]:
    return manifest.body["metadata"].get("labels") or {}
