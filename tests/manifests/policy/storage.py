"""Rules about the disk of a pod: what is written where, and what happens when it is full."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.manifests.pods import Pod
from tests.manifests.policy.model import Finding, Rendered, Rule, answers, found, is_agent, rule, size

WRITABLE = {"/var/lib/slipway/run", "/var/lib/slipway/spool", "/var/lib/slipway/store", "/tmp"}
# What the image sets; a mount must lie above each of them, and on none of them.
WRITTEN = {
    "BENTOML_HOME": "/var/lib/slipway/run/bentoml",
    "METRICS_DIR": "/var/lib/slipway/run/metrics",
    "DRAIN_FILE": "/var/lib/slipway/run/drain",
    "SPOOL_DIR": "/var/lib/slipway/spool",
    "MODEL_STORE_DIR": "/var/lib/slipway/store",
}
REMADE_AT_START = ("/var/lib/slipway/run/metrics", "/var/lib/slipway/run/bentoml")
HIDDEN_BY_A_MOUNT = ("/app",)


@rule("bounded-scratch", "an emptyDir without a limit takes the node's disk with it")
def bounded_scratch(rendered: Rendered) -> Iterator[Finding]:
    for pod in rendered.pods:
        for volume in pod.spec.get("volumes", ()):
            if "emptyDir" in volume and "sizeLimit" not in (volume["emptyDir"] or {}):
                yield found(pod, f"{volume['name']} has no sizeLimit")
        scratch = [v["emptyDir"] for v in pod.spec.get("volumes", ()) if "emptyDir" in v]
        on_disk = sum(size(v.get("sizeLimit", 0)) for v in scratch if v.get("medium") != "Memory")
        limits = sum(
            size((c.get("resources", {}).get("limits") or {}).get("ephemeral-storage", 0))
            for c in pod.running
        )
        if pod.running and on_disk > limits:
            yield found(
                pod,
                f"its volumes may hold {on_disk:.0f} bytes, its containers {limits:.0f}: the pod is evicted first",
            )


@rule(
    "writable-places",
    "the process writes to four places and nowhere else, and no mount hides what the image brings",
)
def writable_places(rendered: Rendered) -> Iterator[Finding]:
    for pod in rendered.service_pods:
        for container in (c for c in pod.containers if answers(c) or is_agent(c)):
            mounted = {
                m["mountPath"].rstrip("/"): m
                for m in container.get("volumeMounts", ())
                if not m.get("readOnly")
            }
            for extra in set(mounted) - WRITABLE:
                yield found(pod, f"{extra} is writable", container)
            environment = WRITTEN | rendered.environment(container)
            for name in WRITTEN:
                if is_agent(container) and name in {"BENTOML_HOME", "DRAIN_FILE", "METRICS_DIR"}:
                    continue
                if not any(environment[name] == m or environment[name].startswith(f"{m}/") for m in mounted):
                    yield found(pod, f"{name} is {environment[name]}, which cannot be written", container)


@rule("hidden-places", "what is emptied at start cannot be a mount, and a mount over the sources hides them")
def hidden_places(rendered: Rendered) -> Iterator[Finding]:
    for pod in rendered.service_pods:
        for container in (c for c in pod.containers if answers(c) or is_agent(c)):
            for mount in container.get("volumeMounts", ()):
                if mount["mountPath"].rstrip("/") in REMADE_AT_START or mount["mountPath"].startswith(
                    HIDDEN_BY_A_MOUNT
                ):
                    yield found(pod, f"a mount at {mount['mountPath']}", container)


@rule("spool-fits", "a spool beyond its volume's limit gets the pod evicted, and the log it holds deleted")
def spool_fits(rendered: Rendered) -> Iterator[Finding]:
    for pod in rendered.service_pods:
        for container in (c for c in pod.containers if answers(c)):
            cap = int(rendered.environment(container).get("SPOOL_LIMIT_BYTES", 512 * 2**20))
            spool = _volume_at(pod, container, "/var/lib/slipway/spool")
            if spool is None:
                yield found(pod, "has no volume for the spool", container)
            elif "emptyDir" in spool:
                limit = size((spool["emptyDir"] or {}).get("sizeLimit", 0))
                disk = size((container.get("resources", {}).get("limits") or {}).get("ephemeral-storage", 0))
                if not cap < limit <= disk:
                    yield found(
                        pod, f"cap {cap} < volume {limit:.0f} <= disk {disk:.0f} does not hold", container
                    )


@rule(
    "shared-spool",
    "the agent ships what the service writes and fills the store that it reads: both mount both",
)
def shared_spool(rendered: Rendered) -> Iterator[Finding]:
    for pod in rendered.service_pods:
        sidecars = [c for c in pod.running if is_agent(c)]
        if pod.owner.identity.kind != "ClusterServingRuntime" and not sidecars:
            yield found(pod, "has no agent as a sidecar")
        for place in ("/var/lib/slipway/spool", "/var/lib/slipway/store"):
            volumes = [_volume_at(pod, c, place) for c in pod.running if answers(c) or is_agent(c)]
            if len({(v or {}).get("name") for v in volumes}) != 1:
                yield found(pod, f"{place} is not one volume for both")


def _volume_at(pod: Pod, container: dict[str, Any], place: str) -> dict[str, Any] | None:
    mount = next((m for m in container.get("volumeMounts", ()) if m["mountPath"].rstrip("/") == place), None)
    return None if mount is None else pod.volume(mount["name"])


RULES: tuple[Rule, ...] = (bounded_scratch, writable_places, hidden_places, spool_fits, shared_spool)
