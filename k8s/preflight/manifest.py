"""What a rendered overlay asks of a cluster: kinds, pods with their requests, and the Secrets that they mount."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from k8s.api.quantities import quantity
from k8s.dev_secret import SERVICE, SERVICE_KEYS, SIGNING_KEY, STORES
from k8s.errors import Misused

Json = Mapping[str, Any]
# Mounted as a whole, so that the manifest does not say which keys it must have.
WHOLE = {SERVICE: frozenset(SERVICE_KEYS) - {SIGNING_KEY}}
COUNTED = ("Deployment", "StatefulSet", "ReplicaSet", "Rollout", "InferenceService", "Pod")
SCALERS = {"HorizontalPodAutoscaler": "minReplicas", "ScaledObject": "minReplicaCount"}
RESOURCES = ("cpu", "memory", "ephemeral-storage")


@dataclass(frozen=True, kw_only=True)
class SecretUse:
    name: str
    keys: frozenset[str]
    user: str


@dataclass(frozen=True, kw_only=True)
class PodShape:
    """Pods of one owner: how many at least, and what one requests."""

    owner: str
    count: int
    requests: Mapping[str, Decimal]
    secrets: tuple[SecretUse, ...]
    pull_secrets: tuple[str, ...]

    def in_all(self, resource: str) -> Decimal:
        return self.count * self.requests.get(resource, Decimal(0))


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """`kinds` are (apiVersion, kind); `made` are the Secrets that the overlay itself brings into being."""

    documents: tuple[Json, ...]

    @property
    def kinds(self) -> tuple[tuple[str, str], ...]:
        return tuple(sorted({(str(d["apiVersion"]), str(d["kind"])) for d in self.documents}))

    def of_kind(self, *kinds: str) -> list[Json]:
        return [document for document in self.documents if document["kind"] in kinds]

    @property
    def namespace(self) -> str:
        """The one that most of it is for; empty where nothing says."""
        named = [
            str(d["metadata"].get("namespace", "")) for d in self.of_kind("Deployment", "InferenceService")
        ]
        return next((name for name in named if name), "")

    @property
    def made(self) -> frozenset[str]:
        names = {str(d["metadata"]["name"]) for d in self.of_kind("Secret", "SealedSecret")}
        for external in self.of_kind("ExternalSecret"):
            names.add(str(_at(external, "spec", "target").get("name") or external["metadata"]["name"]))
        if any(d["metadata"]["name"] == "dev-secret" for d in self.of_kind("Job")):
            names |= {SERVICE, STORES}
        return frozenset(names)

    @property
    def pods(self) -> tuple[PodShape, ...]:
        return tuple(
            _shape(document, spec, self._count(document))
            for document in self.documents
            if (spec := pod_spec(document))
        )

    @property
    def claims(self) -> tuple[str, ...]:
        """Volume claims that leave the choice of a storage class to the cluster."""
        found = [(d["metadata"]["name"], d.get("spec") or {}) for d in self.of_kind("PersistentVolumeClaim")]
        for owner in self.of_kind("StatefulSet"):
            templates = owner["spec"].get("volumeClaimTemplates") or ()
            found += [(f"{owner['metadata']['name']}/{t['metadata']['name']}", t["spec"]) for t in templates]
        return tuple(str(name) for name, spec in found if spec.get("storageClassName") is None)

    @property
    def scales_on_resources(self) -> bool:
        metrics = [m for d in self.of_kind("HorizontalPodAutoscaler") for m in d["spec"].get("metrics") or ()]
        return any(metric["type"] in ("Resource", "ContainerResource") for metric in metrics)

    def _count(self, document: Json) -> int:
        """At least so many pods: an autoscaler's minimum, or the replicas written down; jobs come and go."""
        if document["kind"] not in COUNTED:
            return 0
        name, spec = document["metadata"]["name"], document.get("spec") or {}
        for scaler in self.of_kind(*SCALERS):
            if _at(scaler, "spec", "scaleTargetRef").get("name") == name:
                return int(scaler["spec"].get(SCALERS[scaler["kind"]], 1))
        if document["kind"] == "InferenceService":
            return int(_at(spec, "predictor").get("minReplicas", 1))
        return int(spec.get("replicas", 1))


def read_manifest(text: str) -> Manifest:
    """Raises Misused for what is no stream of objects."""
    import yaml

    try:
        found = [document for document in yaml.safe_load_all(text) if document is not None]
    except yaml.YAMLError as error:
        raise Misused(f"the manifest is no YAML: {error}") from None
    for document in found:
        if not isinstance(document, dict) or not {"apiVersion", "kind", "metadata"} <= set(document):
            raise Misused("the manifest holds something that is no object: render the overlay first")
    return Manifest(documents=tuple(found))


def pod_spec(document: Json) -> Json:
    """The pod that an object makes; empty when it makes none."""
    spec = document.get("spec") or {}
    if document["kind"] == "Pod":
        return dict(spec)
    if document["kind"] == "CronJob":
        spec = _at(spec, "jobTemplate", "spec")
    if document["kind"] == "InferenceService":
        predictor = _at(spec, "predictor")
        return predictor if predictor.get("containers") else {}
    made = _at(spec, "template", "spec")
    return made if "containers" in made else {}


def _at(document: Json, *path: str) -> Json:
    found: Json = document
    for part in path:
        below = found.get(part) or {}
        if not isinstance(below, Mapping):
            return {}
        found = below
    return found


def _shape(document: Json, spec: Json, count: int) -> PodShape:
    owner = f"{document['kind']}/{document['metadata']['name']}"
    return PodShape(
        owner=owner,
        count=count,
        requests={name: _requested(spec, name) for name in RESOURCES},
        secrets=tuple(_secrets(spec, owner)),
        pull_secrets=tuple(str(entry["name"]) for entry in spec.get("imagePullSecrets") or ()),
    )


def _requested(spec: Json, resource: str) -> Decimal:
    """As the scheduler counts: what runs together, or one init container beside the sidecars, whichever is more."""
    inits = spec.get("initContainers") or ()
    sidecars = sum((_one(c, resource) for c in inits if c.get("restartPolicy") == "Always"), Decimal(0))
    together = sum((_one(c, resource) for c in spec["containers"]), sidecars)
    first = [sidecars + _one(c, resource) for c in inits if c.get("restartPolicy") != "Always"]
    return max([together, *first])


def _one(container: Json, resource: str) -> Decimal:
    resources = container.get("resources") or {}
    # A limit without a request is taken as the request, too.
    for source in (resources.get("requests"), resources.get("limits")):
        if source and resource in source:
            return quantity(source[resource])
    return Decimal(0)


def _secrets(spec: Json, user: str) -> Iterator[SecretUse]:
    for name, keys, optional in _uses(spec):
        if not optional:
            yield SecretUse(name=name, keys=keys or WHOLE.get(name, frozenset()), user=user)


def _uses(spec: Json) -> Iterator[tuple[str, frozenset[str], bool]]:
    """Name, keys where they are named, and whether the pod starts without it."""
    for volume in spec.get("volumes") or ():
        sources = [volume, *(_at(volume, "projected").get("sources") or ())]
        for secret in (source["secret"] for source in sources if source.get("secret")):
            yield (
                str(secret.get("secretName") or secret.get("name")),
                _items(secret),
                bool(secret.get("optional")),
            )
    for container in [*(spec.get("initContainers") or ()), *spec["containers"]]:
        yield from _in_environment(container)


def _in_environment(container: Json) -> Iterator[tuple[str, frozenset[str], bool]]:
    for source in container.get("envFrom") or ():
        if secret := source.get("secretRef"):
            yield str(secret["name"]), frozenset(), bool(secret.get("optional"))
    for variable in container.get("env") or ():
        if secret := _at(variable, "valueFrom", "secretKeyRef"):
            yield str(secret["name"]), frozenset({str(secret["key"])}), bool(secret.get("optional"))


def _items(secret: Json) -> frozenset[str]:
    return frozenset(str(item["key"]) for item in secret.get("items") or ())
