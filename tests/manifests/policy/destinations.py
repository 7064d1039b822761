"""Rules about where programs are told to connect: a name inside the cluster is that of an object that is rendered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from tests.manifests.policy.model import Finding, Rendered, Rule, found, ours, rule
from tests.manifests.policy.wiring import leads_to_api

SCHEMES = {"http": 80, "https": 443, "redis": 6379, "rediss": 6379, "postgresql": 5432}
HERE = {"localhost", "127.0.0.1"}
PROMETHEUS = (
    ".monitoring.svc"  # the namespace that policies let in; an address by TLS is somebody else's Prometheus
)
PROMETHEUS_PORT = 9090


def service_of(rendered: Rendered, url: str) -> tuple[str, int] | None:
    """The Service of this namespace that a URL means, and its port; None for what lies elsewhere."""
    parts = urlsplit(url)
    scheme, host = parts.scheme.partition("+")[0], parts.hostname or ""
    if scheme not in SCHEMES or host in HERE:
        return None
    name, _, rest = host.partition(".")
    namespace = next((m.identity.name for m in rendered.of("Namespace")), "")
    if rest and rest.split(".")[0] != namespace:
        return None
    return name, parts.port or SCHEMES[scheme]


def exists(rendered: Rendered, name: str, port: int) -> bool:
    """A Service that is rendered, or the one that KServe makes of an InferenceService."""
    if rendered.find("InferenceService", name.removesuffix("-predictor")) and name.endswith("-predictor"):
        return port == 80
    service = rendered.find("Service", name)
    return service is not None and port in {each["port"] for each in service.body["spec"]["ports"]}


@rule(
    "hosts-exist", "a program that is told of a host which is not there tries for ever, or answers without it"
)
def hosts_exist(rendered: Rendered) -> Iterator[Finding]:
    for pod, container in rendered.containers():
        named = (
            [*rendered.environment(container).values(), *container.get("args", ())] if ours(container) else []
        )
        for value in named:
            meant = service_of(rendered, value)
            if meant and not exists(rendered, *meant):
                yield found(pod, f"is told of {value}, and nothing answers there", container)


@rule("smoke-asks-the-service", "a smoke test of another port says nothing about what clients get")
def smoke_asks_the_service(rendered: Rendered) -> Iterator[Finding]:
    for pod, container in rendered.containers():
        if (container.get("args") or [])[:2] != ["k8s", "smoke"]:
            continue
        for url in (each for each in container["args"] if "://" in each):
            meant = service_of(rendered, url)
            if meant and not _answers(rendered, *meant):
                yield found(pod, f"asks {url}, which is not where the service answers", container)


def _answers(rendered: Rendered, name: str, port: int) -> bool:
    if rendered.of("InferenceService"):
        return exists(rendered, name, port)
    return leads_to_api(rendered, name, {"number": port})


@rule(
    "prometheus-address",
    "an autoscaler or an analysis that asks where no Prometheus is gets no number at all",
)
def prometheus_address(rendered: Rendered) -> Iterator[Finding]:
    for manifest in rendered.of("ScaledObject", "AnalysisTemplate"):
        for address in _prometheus(manifest.body["spec"]):
            parts = urlsplit(address)
            inside = (parts.hostname or "").endswith(PROMETHEUS) and parts.port == PROMETHEUS_PORT
            if parts.scheme != "https" and not inside:
                yield found(manifest, f"asks {address}")


def _prometheus(spec: dict[str, Any]) -> Iterator[str]:
    for trigger in spec.get("triggers", ()):
        if trigger["type"] == "prometheus":
            yield trigger["metadata"].get("serverAddress", "")
    for argument in spec.get("args", ()):
        if argument["name"] == "prometheus":
            yield argument.get("value", "")


RULES: tuple[Rule, ...] = (hosts_exist, smoke_asks_the_service, prometheus_address)
