"""Rules about what outlives a pod: it lies on a volume that is there, that stays, and that one process writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.manifests.pods import Pod
from tests.manifests.policy.model import Finding, Rendered, Rule, found, rule

# Where stores write, in settings of theirs: below a volume, because the rest of their file system is read-only.
DATA = ("PGDATA", "MLFLOW_BACKEND_STORE_URI", "MLFLOW_ARTIFACTS_DESTINATION")
LOCAL = ("/", "sqlite:////")
# Claims that an administrator makes: a component names them, and no render brings them.
CLAIMED_ELSEWHERE: set[str] = set()


@rule(
    "data-on-a-volume", "data beside its volume is on a read-only root, and gone with the pod where it is not"
)
def data_on_a_volume(rendered: Rendered) -> Iterator[Finding]:
    for pod, container in rendered.containers():
        kept = {
            m["mountPath"].rstrip("/")
            for m in container.get("volumeMounts", ())
            if m["name"] in _claimed(pod)
        }
        for item in container.get("env", ()):
            place = item.get("value", "")
            if item["name"] in DATA and place.startswith(LOCAL):
                folder = place.removeprefix("sqlite:///")
                if not any(folder.startswith(f"{each}/") for each in kept):
                    yield found(
                        pod, f"{item['name']} is {place}, and its volumes are at {sorted(kept)}", container
                    )


def _claimed(pod: Pod) -> set[str]:
    templates = pod.owner.body["spec"].get("volumeClaimTemplates", ())
    volumes = [v["name"] for v in pod.spec.get("volumes", ()) if "persistentVolumeClaim" in v]
    return {*volumes, *(template["metadata"]["name"] for template in templates)}


@rule("stores-stay", "a deleted StatefulSet is a mistake that can be mended, unless its volumes went with it")
def stores_stay(rendered: Rendered) -> Iterator[Finding]:
    for store in rendered.of("StatefulSet"):
        spec = store.body["spec"]
        policy = spec.get("persistentVolumeClaimRetentionPolicy", {})
        if {policy.get("whenDeleted"), policy.get("whenScaled")} != {"Retain"}:
            yield found(store, f"its volumes go with it: {policy}")
        if rendered.find("Service", spec["serviceName"]) is None:
            yield found(store, f"is found under {spec['serviceName']}, which is not rendered")


@rule("one-writer", "two processes on one database file, or two caches behind one name, disagree")
def one_writer(rendered: Rendered) -> Iterator[Finding]:
    service = {pod.owner.identity for pod in rendered.service_pods}
    for manifest in rendered.of("StatefulSet", "Deployment"):
        if manifest.identity not in service and manifest.body["spec"].get("replicas", 1) != 1:
            yield found(manifest, f"runs {manifest.body['spec']['replicas']} times")


@rule("claims-exist", "a pod whose claim nobody makes is pending for ever")
def claims_exist(rendered: Rendered) -> Iterator[Finding]:
    used: set[str] = set()
    for pod in rendered.pods:
        for name in _claims(pod):
            used.add(name)
            if rendered.find("PersistentVolumeClaim", name) is None and name not in CLAIMED_ELSEWHERE:
                yield found(pod, f"claims {name}, which is not rendered")
    for claim in rendered.of("PersistentVolumeClaim"):
        if claim.identity.name not in used:
            yield found(claim, "is claimed by no pod")


def _claims(pod: Pod) -> Iterator[str]:
    volumes: list[dict[str, Any]] = pod.spec.get("volumes") or []
    yield from (v["persistentVolumeClaim"]["claimName"] for v in volumes if "persistentVolumeClaim" in v)


RULES: tuple[Rule, ...] = (data_on_a_volume, stores_stay, one_writer, claims_exist)
