"""Rules about how Prometheus asks: at the path that is answered, in our namespace, and for as many series as there are."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.manifests.objects import Manifest
from tests.manifests.policy.model import Finding, Rendered, Rule, found, rule

LEAST_SAMPLES = 2000  # a scrape beyond its limit is dropped as a whole


def endpoints(monitor: Manifest) -> list[dict[str, object]]:
    spec = monitor.body["spec"]
    return [*spec.get("endpoints", ()), *spec.get("podMetricsEndpoints", ())]


@rule(
    "monitor-asks",
    "a scrape of another path, by TLS, of another namespace, or of more than it may take, brings nothing",
)
def monitor_asks(rendered: Rendered) -> Iterator[Finding]:
    for monitor in rendered.of("ServiceMonitor", "PodMonitor"):
        spec = monitor.body["spec"]
        for endpoint in endpoints(monitor):
            if endpoint.get("path", "/metrics") != "/metrics" or endpoint.get("scheme", "http") != "http":
                yield found(monitor, f"asks for {endpoint.get('scheme')}:{endpoint.get('path')}")
            if {"basicAuth", "authorization", "oauth2", "params", "proxyUrl"} & set(endpoint):
                yield found(monitor, "logs in where nobody asks for a name")
        where = spec.get("namespaceSelector") or {"matchNames": [monitor.identity.namespace]}
        if where != {"matchNames": [monitor.identity.namespace]}:
            yield found(monitor, f"looks in {where}")
        if spec.get("sampleLimit", LEAST_SAMPLES) < LEAST_SAMPLES:
            yield found(monitor, f"takes no more than {spec['sampleLimit']} samples")


@rule(
    "pods-named-as-services",
    "alerts and dashboards ask by Service; pods that are scraped themselves have no such label",
)
def pods_named_as_services(rendered: Rendered) -> Iterator[Finding]:
    for monitor in rendered.of("PodMonitor"):
        if any(name is None for name in service_labels(monitor)):
            yield found(monitor, "does not call its pods by the Service's name")


def service_labels(monitor: Manifest) -> Iterator[str | None]:
    """What each endpoint of a PodMonitor makes of the label `service`."""
    for endpoint in monitor.body["spec"].get("podMetricsEndpoints", ()):
        given = [
            r.get("replacement") for r in endpoint.get("relabelings", ()) if r.get("targetLabel") == "service"
        ]
        yield given[0] if given else None


RULES: tuple[Rule, ...] = (monitor_asks, pods_named_as_services)
