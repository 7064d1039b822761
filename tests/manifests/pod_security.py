"""The restricted Pod Security Standard as a program: what the API server's admission would say about a pod.

Written after the rules of policy version 1.35, the newest that changed any, and of what is to come (cgroupOptions,
ulimits, which no API of the three minors has yet): where versions differ, the stricter. `test_pod_security` holds it to
a table of pods that each rule lets pass and refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

Pod = dict[str, Any]
Container = dict[str, Any]

VOLUME_TYPES = {
    *(
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "persistentVolumeClaim",
        "projected",
        "secret",
    ),
}
SYSCTLS = {
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
}
SELINUX_TYPES = {"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
PROFILES = {"RuntimeDefault", "Localhost"}
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
APPARMOR_ANNOTATION = "container.apparmor.security.beta.kubernetes.io/"
APPARMOR_ALLOWED = ("", "runtime/default")


def violations(spec: Pod, annotations: dict[str, str] | None = None) -> list[str]:
    """Names of the rules that a pod breaks, each with what breaks it."""
    found = [f"appArmorProfile: {name}" for name in _apparmor_annotations(annotations or {})]
    found += [f"{name}: {what}" for name, rule in RULES.items() for what in rule(spec)]
    return found


def containers(spec: Pod) -> Iterator[tuple[str, Container]]:
    for field in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(field) or ():
            yield container.get("name", "?"), container


def _contexts(spec: Pod, field: str) -> Iterator[tuple[str, Any]]:
    """A field of the security contexts of pod and containers, where it is written."""
    for name, holder in (("pod", spec), *containers(spec)):
        context = holder.get("securityContext") or {}
        if context.get(field) is not None:
            yield name, context[field]


def _user_namespace(spec: Pod) -> bool:
    """Root in a user namespace of the pod is nobody outside it."""
    return spec.get("hostUsers") is False


def _allow_privilege_escalation(spec: Pod) -> Iterator[str]:
    if (spec.get("os") or {}).get("name") == "windows":
        return
    for name, container in containers(spec):
        if (container.get("securityContext") or {}).get("allowPrivilegeEscalation") is not False:
            yield f"{name} may gain privileges"


def _capabilities(spec: Pod) -> Iterator[str]:
    if (spec.get("os") or {}).get("name") == "windows":
        return
    for name, container in containers(spec):
        capabilities = (container.get("securityContext") or {}).get("capabilities") or {}
        if "ALL" not in (capabilities.get("drop") or ()):
            yield f"{name} does not drop ALL"
        if added := set(capabilities.get("add") or ()) - {"NET_BIND_SERVICE"}:
            yield f"{name} adds {sorted(added)}"


def _host_namespaces(spec: Pod) -> Iterator[str]:
    yield from (field for field in ("hostNetwork", "hostPID", "hostIPC") if spec.get(field))


def _host_ports(spec: Pod) -> Iterator[str]:
    for name, container in containers(spec):
        yield from (
            f"{name}: {port['hostPort']}" for port in container.get("ports") or () if port.get("hostPort")
        )


def _host_probes(spec: Pod) -> Iterator[str]:
    for name, container in containers(spec):
        lifecycle = container.get("lifecycle") or {}
        handlers = [container.get(probe) for probe in PROBES] + [
            lifecycle.get("postStart"),
            lifecycle.get("preStop"),
        ]
        for handler in handlers:
            for kind in ("httpGet", "tcpSocket"):
                if ((handler or {}).get(kind) or {}).get("host"):
                    yield f"{name} asks {handler[kind]['host']}"  # type: ignore[index]


def _privileged(spec: Pod) -> Iterator[str]:
    yield from (name for name, value in _contexts(spec, "privileged") if value)


def _proc_mount(spec: Pod) -> Iterator[str]:
    """A user namespace relaxes this for the baseline alone."""
    yield from (name for name, value in _contexts(spec, "procMount") if value != "Default")


def _cgroup_options(spec: Pod) -> Iterator[str]:
    for name, options in _contexts(spec, "cgroupOptions"):
        if options.get("mountMode") not in (None, "ReadOnly"):
            yield f"{name}: {options['mountMode']}"


def _ulimits(spec: Pod) -> Iterator[str]:
    yield from (name for name, _ in _contexts(spec, "ulimits"))


def _volumes(spec: Pod) -> Iterator[str]:
    """A volume of no type is an emptyDir: the API server says so before admission looks."""
    for volume in spec.get("volumes") or ():
        if types := set(volume) - {"name"} - VOLUME_TYPES:
            yield f"{volume['name']} is {sorted(types)}"


def _run_as_non_root(spec: Pod) -> Iterator[str]:
    if _user_namespace(spec):
        return
    pod = (spec.get("securityContext") or {}).get("runAsNonRoot")
    if pod is False:
        yield "pod"
    for name, container in containers(spec):
        own = (container.get("securityContext") or {}).get("runAsNonRoot")
        if own is False or (own is None and not pod):
            yield name


def _run_as_user(spec: Pod) -> Iterator[str]:
    if not _user_namespace(spec):
        yield from (name for name, user in _contexts(spec, "runAsUser") if user == 0)


def _selinux(spec: Pod) -> Iterator[str]:
    for name, options in _contexts(spec, "seLinuxOptions"):
        if options.get("type", "") not in SELINUX_TYPES or options.get("user") or options.get("role"):
            yield name


def _seccomp(spec: Pod) -> Iterator[str]:
    if (spec.get("os") or {}).get("name") == "windows":
        return
    pod = ((spec.get("securityContext") or {}).get("seccompProfile") or {}).get("type")
    if pod is not None and pod not in PROFILES:
        yield f"pod: {pod}"
    for name, container in containers(spec):
        own = ((container.get("securityContext") or {}).get("seccompProfile") or {}).get("type", pod)
        if own not in PROFILES:
            yield f"{name}: {own}"


def _apparmor(spec: Pod) -> Iterator[str]:
    for name, profile in _contexts(spec, "appArmorProfile"):
        if profile.get("type") not in PROFILES:
            yield f"{name}: {profile.get('type')}"


def _apparmor_annotations(annotations: dict[str, str]) -> Iterator[str]:
    for key, value in annotations.items():
        allowed = value in APPARMOR_ALLOWED or value.startswith("localhost/")
        if key.startswith(APPARMOR_ANNOTATION) and not allowed:
            yield f"{key}={value}"


def _sysctls(spec: Pod) -> Iterator[str]:
    for sysctl in (spec.get("securityContext") or {}).get("sysctls") or ():
        if sysctl["name"] not in SYSCTLS:
            yield sysctl["name"]


def _windows_host_process(spec: Pod) -> Iterator[str]:
    yield from (name for name, options in _contexts(spec, "windowsOptions") if options.get("hostProcess"))


RULES: dict[str, Callable[[Pod], Iterator[str]]] = {
    "allowPrivilegeEscalation": _allow_privilege_escalation,
    "appArmorProfile": _apparmor,
    "capabilities": _capabilities,
    "cgroupOptions": _cgroup_options,
    "hostNamespaces": _host_namespaces,
    "hostPorts": _host_ports,
    "hostProbesAndHostLifecycle": _host_probes,
    "privileged": _privileged,
    "procMount": _proc_mount,
    "restrictedVolumes": _volumes,
    "runAsNonRoot": _run_as_non_root,
    "runAsUser": _run_as_user,
    "seLinuxOptions": _selinux,
    "seccompProfile": _seccomp,
    "sysctls": _sysctls,
    "ulimits": _ulimits,
    "windowsHostProcess": _windows_host_process,
}
