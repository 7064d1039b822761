"""Rules of the API server that no schema says: what it would refuse, or warn of, after the shape is right."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Hashable, Iterable, Iterator
from typing import Any
from zoneinfo import available_timezones

from tests.manifests.pods import Pod
from tests.manifests.policy.model import Finding, Rendered, Rule, found, rule

LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
LABEL_KEY = re.compile(r"([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
PORT_NAME = re.compile(r"(?=.{1,15}$)(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*")
NAME = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
CRON = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
LONGEST_CRON_NAME = 52
# Lists that are maps to the API server: the same key twice is an error to a server-side apply.
KEYS = {"ports": ("containerPort", "protocol"), "env": ("name",), "volumeMounts": ("mountPath",)}
POD_KEYS = {"volumes": ("name",), "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable")}
HANDLERS = ("livenessProbe", "readinessProbe", "startupProbe", "lifecycle")


@rule(
    "names-admissible",
    "a label, a port or a name with a letter too much is refused after the schema has passed",
)
def names_admissible(rendered: Rendered) -> Iterator[Finding]:
    for manifest in rendered.manifests:
        metadata = manifest.body["metadata"]
        for key, value in (metadata.get("labels") or {}).items():
            if not LABEL_KEY.fullmatch(key) or not LABEL_VALUE.fullmatch(value):
                yield found(manifest, f"the label {key}={value} is none")
        if not NAME.fullmatch(metadata["name"]):
            yield found(manifest, f"{metadata['name']!r} is no name for the DNS")


@rule("schedules-admissible", "a Job's name is its CronJob's and eleven letters more")
def schedules_admissible(rendered: Rendered) -> Iterator[Finding]:
    for manifest in rendered.of("CronJob"):
        if len(manifest.identity.name) > LONGEST_CRON_NAME:
            yield found(manifest, "leaves no room for the names of its Jobs")
        schedule, zone = manifest.body["spec"]["schedule"], manifest.body["spec"].get("timeZone", "UTC")
        fields = schedule.split(" ")
        if len(fields) != len(CRON) or not all(_in_bounds(each, CRON[at]) for at, each in enumerate(fields)):
            yield found(manifest, f"{schedule!r} is no schedule")
        if zone not in available_timezones():
            yield found(manifest, f"{zone!r} is no time zone")


def _in_bounds(field: str, bounds: tuple[int, int]) -> bool:
    """One field of a schedule: `*`, numbers and ranges, with commas and steps; names of days and months are not used here."""
    for part in field.split(","):
        span, _, step = part.partition("/")
        numbers = [] if span == "*" else span.split("-")
        if not all(each.isdigit() for each in numbers) or len(numbers) > 2 or (step or "1") in ("0", "*"):
            return False
        if any(not bounds[0] <= int(each) <= bounds[1] for each in numbers) or not (step or "1").isdigit():
            return False
    return True


@rule(
    "failure-policies",
    "the API server refuses a policy for a container that is not there, and for pods that start again",
)
def failure_policies(rendered: Rendered) -> Iterator[Finding]:
    for pod in rendered.pods:
        spec = pod.owner.body["spec"]
        job = spec["jobTemplate"]["spec"] if pod.owner.identity.kind == "CronJob" else spec
        policy = job.get("podFailurePolicy")
        if pod.owner.identity.kind not in {"Job", "CronJob"} or policy is None:
            continue
        if pod.spec.get("restartPolicy") != "Never":
            yield found(pod, "has a podFailurePolicy and starts its containers again")
        names = {each.get("onExitCodes", {}).get("containerName", "") for each in policy["rules"]} - {""}
        for name in sorted(names - {container["name"] for container in pod.containers}):
            yield found(pod, f"its podFailurePolicy speaks of {name!r}, which is no container of it")


@rule("port-names-admissible", "the name of a port has fifteen letters, or the pod is refused")
def port_names_admissible(rendered: Rendered) -> Iterator[Finding]:
    for pod, container in rendered.containers():
        for port in container.get("ports", ()):
            if not PORT_NAME.fullmatch(port.get("name", "a")):
                yield found(pod, f"{port['name']!r} is no name of a port", container)


@rule(
    "keys-once",
    "what is in a list twice is an error to a server-side apply, and the last of the two to an ordinary one",
)
def keys_once(rendered: Rendered) -> Iterator[Finding]:
    for pod in rendered.pods:
        for field, keys in POD_KEYS.items():
            yield from (
                found(pod, f"{field}: {twice} twice") for twice in _twice(pod.spec.get(field, ()), keys)
            )
        names = [container["name"] for container in pod.containers]
        yield from (
            found(pod, f"{name} is the name of two containers")
            for name in set(names)
            if names.count(name) > 1
        )
        for container in pod.containers:
            for field, keys in KEYS.items():
                for twice in _twice(container.get(field, ()), keys):
                    yield found(pod, f"{field}: {twice} twice", container)
    for service in rendered.of("Service"):
        for twice in _twice(service.body["spec"]["ports"], ("port", "protocol")):
            yield found(service, f"ports: {twice} twice")


def _twice(items: Iterable[dict[str, Any]], keys: tuple[str, ...]) -> set[Hashable]:
    found_keys = [
        tuple(item.get(key, "TCP" if key == "protocol" else None) for key in keys) for item in items
    ]
    return {key for key in found_keys if found_keys.count(key) > 1}


@rule("init-containers-end", "a container that ends before the pod starts is not asked whether it lives")
def init_containers_end(rendered: Rendered) -> Iterator[Finding]:
    for pod in rendered.pods:
        for container in pod.spec.get("initContainers", ()):
            if container.get("restartPolicy") != "Always":
                yield from (
                    found(pod, f"has a {field}", container) for field in HANDLERS if field in container
                )


@rule("volumes-exist", "a mount below another, or of a file that a volume does not have, stops the pod")
def volumes_exist(rendered: Rendered) -> Iterator[Finding]:
    for pod, container in rendered.containers():
        for mount in container.get("volumeMounts", ()):
            if not mount["mountPath"].startswith("/") or ":" in mount["mountPath"]:
                yield found(pod, f"{mount['mountPath']!r} is no place", container)
            if "subPath" in mount:
                yield found(
                    pod,
                    f"{mount['mountPath']} is mounted by subPath: it never sees a changed Secret",
                    container,
                )
        yield from (found(pod, what) for what in _secret_files(pod))


def _secret_files(pod: Pod) -> Iterator[str]:
    for volume in pod.spec.get("volumes", ()):
        items = (volume.get("secret") or volume.get("configMap") or {}).get("items", ())
        paths = [item["path"] for item in items]
        if len(set(paths)) < len(paths):
            yield f"two keys of {volume['name']} are one file"


@rule("addresses", "an exception outside its block excludes nothing, and a block with host bits is refused")
def addresses(rendered: Rendered) -> Iterator[Finding]:
    for policy in rendered.of("NetworkPolicy"):
        for peer in _peers(policy.body["spec"]):
            if "ipBlock" not in peer:
                continue
            if len(peer) > 1:
                yield found(policy, "selects pods and addresses at once")
            try:
                block = ipaddress.ip_network(peer["ipBlock"]["cidr"])
                less = [ipaddress.ip_network(each) for each in peer["ipBlock"].get("except", ())]
            except ValueError as error:
                yield found(policy, str(error))
                continue
            yield from (found(policy, f"{one} is not in {block}") for one in less if not one.subnet_of(block))  # type: ignore[arg-type]


def _peers(spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for direction, side in (("ingress", "from"), ("egress", "to")):
        for opening in spec.get(direction) or ():
            yield from opening.get(side) or ()


RULES: tuple[Rule, ...] = (
    *(
        names_admissible,
        schedules_admissible,
        failure_policies,
        port_names_admissible,
        keys_once,
        init_containers_end,
    ),
    *(volumes_exist, addresses),
)
