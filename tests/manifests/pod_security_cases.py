"""Pods that the restricted standard lets pass and refuses: for every rule its variants at pod, container and init container.

Each case is one change to a smallest restricted pod. The cases are those of the fixtures that Kubernetes generates for its
own admission plugin (`fixtures_*.go` of kubernetes/pod-security-admission, read one by one), written down anew, and more.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from enum import Enum
from typing import Any

from tests.manifests.pod_security_names import EACH, SAFE_SYSCTLS, VOLUMES_ALLOWED, VOLUMES_REFUSED

MINIMAL: dict[str, Any] = {
    "metadata": {"name": "minimal"},
    "spec": {
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "initContainers": [
            {
                "name": "init",
                "image": "image",
                "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
            }
        ],
        "containers": [
            {
                "name": "main",
                "image": "image",
                "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
            }
        ],
    },
}
POD, MAIN, INIT = "spec", "spec/containers/0", "spec/initContainers/0"


class Absence(Enum):
    """A field that is taken out; named, so that cases have the same names in every process."""

    ABSENT = "absent"


ABSENT = Absence.ABSENT


@dataclass(frozen=True)
class Case:
    rule: str
    changes: tuple[tuple[str, Any], ...]  # place, then its new value
    also: frozenset[str] = frozenset()  # rules that the same pod cannot but break, too

    @property
    def pod(self) -> dict[str, Any]:
        pod = copy.deepcopy(MINIMAL)
        for place, value in self.changes:
            _put(pod, place.split("/"), value)
        return pod

    def __str__(self) -> str:
        shown = ",".join(f"{place.removeprefix('spec/')}={value}" for place, value in self.changes)
        return f"{self.rule}:{shown}"[:110]


def _put(node: Any, path: list[str], value: Any) -> None:
    for step in path[:-1]:
        node = node[int(step)] if isinstance(node, list) else node.setdefault(step, {})
    last = path[-1].replace("~1", "/")
    if value is ABSENT:
        node.pop(last, None)
    else:
        node[last] = value


def _cases(rule: str, *variants: dict[str, Any], also: tuple[str, ...] = ()) -> list[Case]:
    return [Case(rule, tuple(variant.items()), frozenset(also)) for variant in variants]


def _each(places: tuple[str, ...], field: str, *values: Any) -> list[dict[str, Any]]:
    return [{f"{place}/securityContext/{field}": value} for place in places for value in values]


EVERYWHERE = (POD, MAIN, INIT)
CONTAINERS = (MAIN, INIT)
APPARMOR = "metadata/annotations/container.apparmor.security.beta.kubernetes.io~1"
_SECCOMP = "securityContext/seccompProfile"
_HTTP = {"httpGet": {"port": 8000, "host": "bad.host"}}
_TCP = {"tcpSocket": {"port": 8000, "host": "8.8.8.8"}}

PASS = [
    *_cases("base", {}),
    *_cases("appArmorProfile", {f"{APPARMOR}main": "runtime/default"}, {f"{APPARMOR}init": "localhost/foo"}),
    *_cases("appArmorProfile", *_each(EVERYWHERE, "appArmorProfile", {"type": "RuntimeDefault"})),
    *_cases(
        "appArmorProfile", *_each((MAIN,), "appArmorProfile", {"type": "Localhost", "localhostProfile": "p"})
    ),
    *_cases(
        "capabilities", *_each(CONTAINERS, "capabilities", {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]})
    ),
    *_cases("cgroupOptions", *_each(CONTAINERS, "cgroupOptions", {"mountMode": "ReadOnly"}, {})),
    *_cases("hostNamespaces", {"spec/hostNetwork": False, "spec/hostPID": False, "spec/hostIPC": False}),
    *_cases("hostPorts", {f"{MAIN}/ports": [{"containerPort": 12346, "hostPort": 0}]}),
    *_cases("hostProbesAndHostLifecycle", {f"{MAIN}/livenessProbe": {"httpGet": {"port": 1, "host": ""}}}),
    *_cases("privileged", *_each(CONTAINERS, "privileged", False)),
    *_cases("procMount", *_each(CONTAINERS, "procMount", "Default")),
    *_cases("procMount", {"spec/hostUsers": False, f"{MAIN}/securityContext/procMount": "Default"}),
    *_cases("ulimits", {f"{MAIN}/securityContext/ulimits": None}),
    *_cases("restrictedVolumes", {"spec/volumes": [{"name": "an-emptydir-by-default"}]}),
    *_cases("hostPorts", *({f"{place}/ports": [{"containerPort": 12345}]} for place in CONTAINERS)),
    *_cases(
        "seLinuxOptions", {f"{POD}/securityContext/seLinuxOptions": {"type": "container_t", "level": ""}}
    ),
    *_cases(
        "restrictedVolumes",
        *({"spec/volumes": [{"name": kind, kind: body}]} for kind, body in VOLUMES_ALLOWED.items()),
    ),
    *_cases(
        "runAsNonRoot",
        {
            f"{POD}/securityContext/runAsNonRoot": ABSENT,
            f"{MAIN}/securityContext/runAsNonRoot": True,
            f"{INIT}/securityContext/runAsNonRoot": True,
        },
        {"spec/hostUsers": False, f"{POD}/securityContext/runAsNonRoot": False},
    ),
    *_cases("runAsUser", *_each(EVERYWHERE, "runAsUser", 1000)),
    *_cases("runAsUser", {"spec/hostUsers": False, f"{MAIN}/securityContext/runAsUser": 0}),
    *_cases(
        "seLinuxOptions", *_each(EVERYWHERE, "seLinuxOptions", {}, {"type": "container_t", "level": "any"})
    ),
    *_cases("seLinuxOptions", *_each((INIT,), "seLinuxOptions", {"type": "container_init_t"})),
    *_cases("seLinuxOptions", *_each((INIT,), "seLinuxOptions", {"type": "container_kvm_t"})),
    *_cases(
        "seccompProfile",
        {f"{POD}/{_SECCOMP}": {"type": "Localhost", "localhostProfile": "testing"}},
        {
            f"{POD}/{_SECCOMP}": ABSENT,
            f"{MAIN}/{_SECCOMP}": {"type": "RuntimeDefault"},
            f"{INIT}/{_SECCOMP}": {"type": "Localhost", "localhostProfile": "testing"},
        },
    ),
    *_cases("sysctls", {f"{POD}/securityContext/sysctls": [{"name": n, "value": "0"} for n in SAFE_SYSCTLS]}),
    *_cases("windowsHostProcess", *_each(EVERYWHERE, "windowsOptions", {}, {"hostProcess": False})),
]
FAIL = [
    *_cases("allowPrivilegeEscalation", *_each(CONTAINERS, "allowPrivilegeEscalation", True, ABSENT)),
    *_cases("appArmorProfile", {f"{APPARMOR}main": "unconfined"}, {f"{APPARMOR}init": "unconfined"}),
    *_cases("appArmorProfile", *_each(EVERYWHERE, "appArmorProfile", {"type": "Unconfined"})),
    *_cases(
        "capabilities", *_each(CONTAINERS, "capabilities", ABSENT, {}, {"drop": []}, {"drop": ["NET_RAW"]})
    ),
    *_cases(
        "capabilities",
        *_each(
            CONTAINERS,
            "capabilities",
            *(
                {"drop": ["ALL"], "add": [name]}
                for name in ("NET_RAW", "CHOWN", "SYS_ADMIN", "ALL", "CAP_CHOWN")
            ),
        ),
    ),
    *_cases(
        "capabilities",
        *_each(CONTAINERS, "capabilities", {"drop": ["ALL"], "add": ["chown"]}, {"drop": EACH}),
        *_each(CONTAINERS, "capabilities", {"drop": ["ALL"], "add": ["NET_BIND_SERVICE", "SETUID", "MKNOD"]}),
    ),
    # Nobody who writes these gets away with breaking one rule.
    *_cases(
        "allowPrivilegeEscalation",
        *({f"{place}/securityContext": ABSENT} for place in CONTAINERS),
        also=("capabilities",),
    ),
    *_cases(
        "privileged",
        *(
            {
                f"{place}/securityContext/privileged": True,
                f"{place}/securityContext/allowPrivilegeEscalation": ABSENT,
            }
            for place in CONTAINERS
        ),
        also=("allowPrivilegeEscalation",),
    ),
    *_cases(
        "windowsHostProcess",
        {"spec/hostNetwork": True, f"{POD}/securityContext/windowsOptions": {"hostProcess": True}},
        {
            "spec/hostNetwork": True,
            f"{MAIN}/securityContext/windowsOptions": {"hostProcess": True},
            f"{INIT}/securityContext/windowsOptions": {"hostProcess": True},
        },
        also=("hostNamespaces",),
    ),
    *_cases("cgroupOptions", *_each(CONTAINERS, "cgroupOptions", {"mountMode": "ReadWrite"})),
    *_cases("hostNamespaces", *({f"spec/{field}": True} for field in ("hostNetwork", "hostPID", "hostIPC"))),
    *_cases(
        "hostPorts", *({f"{place}/ports": [{"containerPort": 1, "hostPort": 1}]} for place in CONTAINERS)
    ),
    *_cases(
        "hostPorts",
        *(
            {f"{place}/ports": [{"containerPort": 1, "hostPort": 0}, {"containerPort": 2, "hostPort": 2}]}
            for place in CONTAINERS
        ),
    ),
    *_cases(
        "hostProbesAndHostLifecycle",
        *(
            {f"{place}/{probe}": handler}
            for place in CONTAINERS
            for probe in ("livenessProbe", "readinessProbe", "startupProbe")
            for handler in (_HTTP, _TCP)
        ),
        *(
            {f"{MAIN}/lifecycle": {hook: handler}}
            for hook in ("postStart", "preStop")
            for handler in (_HTTP, _TCP)
        ),
        # Itself, and yet another host than the pod's: allowed in no released version.
        {f"{MAIN}/livenessProbe": {"httpGet": {"port": 8000, "host": "127.0.0.1"}}},
        {f"{MAIN}/readinessProbe": {"tcpSocket": {"port": 8000, "host": "::1"}}},
    ),
    *_cases("privileged", *_each(CONTAINERS, "privileged", True)),
    *_cases("procMount", *_each(CONTAINERS, "procMount", "Unmasked", "other")),
    *_cases(
        "procMount",
        *(
            {"spec/hostUsers": False, f"{place}/securityContext/procMount": "Unmasked"}
            for place in CONTAINERS
        ),
    ),
    *_cases("ulimits", *_each(CONTAINERS, "ulimits", [{"name": "nofile", "soft": 1024, "hard": 2048}], [])),
    *_cases(
        "restrictedVolumes",
        {
            "spec/volumes": [
                {"name": "volume-emptydir", "emptyDir": {}},
                {"name": "volume-hostpath", "hostPath": {"path": "/a"}},
            ]
        },
    ),
    *_cases(
        "restrictedVolumes",
        *({"spec/volumes": [{"name": kind, kind: body}]} for kind, body in VOLUMES_REFUSED.items()),
    ),
    *_cases("runAsNonRoot", *_each(EVERYWHERE, "runAsNonRoot", False)),
    *_cases(
        "runAsNonRoot",
        {f"{POD}/securityContext/runAsNonRoot": ABSENT},
        {f"{POD}/securityContext/runAsNonRoot": ABSENT, f"{MAIN}/securityContext/runAsNonRoot": True},
        {f"{POD}/securityContext/runAsNonRoot": ABSENT, f"{INIT}/securityContext/runAsNonRoot": True},
    ),
    *_cases("runAsUser", *_each(EVERYWHERE, "runAsUser", 0)),
    *_cases(
        "seLinuxOptions",
        *_each(
            EVERYWHERE, "seLinuxOptions", {"type": "somevalue"}, {"user": "somevalue"}, {"role": "somevalue"}
        ),
    ),
    *_cases(
        "seccompProfile",
        {f"{POD}/{_SECCOMP}": ABSENT},
        {f"{POD}/{_SECCOMP}": {"type": "Unconfined"}},
        {f"{POD}/{_SECCOMP}": ABSENT, f"{MAIN}/{_SECCOMP}": {"type": "RuntimeDefault"}},
        {f"{POD}/{_SECCOMP}": ABSENT, f"{INIT}/{_SECCOMP}": {"type": "RuntimeDefault"}},
        {f"{MAIN}/{_SECCOMP}": {"type": "Unconfined"}},
        {f"{INIT}/{_SECCOMP}": {"type": "Unconfined"}},
        {
            f"{POD}/{_SECCOMP}": ABSENT,
            f"{MAIN}/{_SECCOMP}": {"type": "RuntimeDefault"},
            f"{INIT}/{_SECCOMP}": {"type": "Unconfined"},
        },
    ),
    *_cases("sysctls", {f"{POD}/securityContext/sysctls": [{"name": "othersysctl", "value": "other"}]}),
    *_cases("windowsHostProcess", *_each(EVERYWHERE, "windowsOptions", {"hostProcess": True})),
]
