"""Rules about objects that name each other: nothing is selected, scraped, scaled or routed to that does not exist."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from deploy.manifests.objects import Manifest
from tests.manifests.pods import Pod
from tests.manifests.policy.model import Finding, Rendered, Rule, found, labels_of, rule, selects

OPERATOR = {"release": "kube-prometheus-stack"}
LONGEST_NAME = 63
PORTS = {
    "http": "API_PORT",
    "grpc": "GRPC_PORT",
    "metrics": "METRICS_PORT",
    "agent-metrics": "AGENT_METRICS_PORT",
}


@rule("labels", "people, dashboards and policies find objects by the recommended labels")
def labels(rendered: Rendered) -> Iterator[Finding]:
    for manifest in rendered.manifests:
        for name, value in (("name", "slipway"), ("part-of", "slipway")):
            if labels_of(manifest).get(f"app.kubernetes.io/{name}") != value:
                yield found(manifest, f"app.kubernetes.io/{name} is not {value}")
    for pod in rendered.pods:
        if not pod.component and pod.owner.identity.kind != "ClusterServingRuntime":
            yield found(pod, "its pods say of no component that they are part of it")


@rule(
    "selectors",
    "a selector without its component selects other people's pods, and one with a version cannot be changed",
)
def selectors(rendered: Rendered) -> Iterator[Finding]:
    wanted = {"app.kubernetes.io/name", "app.kubernetes.io/component"}
    for manifest in rendered.of("Deployment", "StatefulSet"):
        selector = manifest.body["spec"]["selector"]
        if set(selector.get("matchLabels", {})) != wanted:
            yield found(manifest, f"selects by {sorted(selector.get('matchLabels', {}))}")
        template = manifest.body["spec"]["template"]["metadata"]["labels"]
        if not selects(selector, template):
            yield found(manifest, "does not select its own pods")
        others = [p for p in rendered.pods if p.owner is not manifest and selects(selector, p.labels)]
        yield from (found(manifest, f"selects pods of {other}") for other in others)


@rule(
    "services", "a Service that selects nothing, or a port that no container opens, refuses every connection"
)
def services(rendered: Rendered) -> Iterator[Finding]:
    for service in rendered.of("Service"):
        spec = service.body["spec"]
        behind = [pod for pod in rendered.pods if selects({"matchLabels": spec["selector"]}, pod.labels)]
        if not behind:
            yield found(service, "selects no pod")
        if spec.get("type", "ClusterIP") != "ClusterIP":
            yield found(service, f"is a {spec['type']}: what faces outwards is an Ingress or a Gateway")
        for port in spec["ports"]:
            if "name" not in port or not isinstance(port.get("targetPort"), str):
                yield found(service, f"port {port['port']} is not named at both ends")
            elif any(port["targetPort"] not in port_names(pod) for pod in behind):
                yield found(
                    service, f"port {port['name']} leads to {port['targetPort']!r}, which no container opens"
                )


def port_names(pod: Pod) -> set[str]:
    return {
        port["name"] for container in pod.running for port in container.get("ports", ()) if "name" in port
    }


@rule("ports-apart", "a NetworkPolicy tells Prometheus from clients by the port alone")
def ports_apart(rendered: Rendered) -> Iterator[Finding]:
    for pod in rendered.service_pods:
        listed = [(p.get("name"), p["containerPort"]) for c in pod.running for p in c.get("ports", ())]
        known = dict(listed)
        if not {"http", "metrics"} <= set(known):
            yield found(pod, f"opens {sorted(map(str, known))}, and not http and metrics")
        if len({number for _, number in listed}) < len(listed) or len(known) < len(listed):
            yield found(pod, "opens a port twice")
        settings = {"API_PORT": "8000"} | rendered.settings
        for name, variable in PORTS.items():
            if name in known and settings.get(variable) != str(known[name]):
                yield found(
                    pod, f"{variable} is {settings.get(variable)}, and the port {name} is {known[name]}"
                )


@rule(
    "scaled-targets", "an autoscaler of what does not exist scales nothing, and says so only to whoever asks"
)
def scaled_targets(rendered: Rendered) -> Iterator[Finding]:
    for scaler in rendered.of("HorizontalPodAutoscaler", "ScaledObject"):
        target = scaler.body["spec"]["scaleTargetRef"]
        owner = rendered.find(target.get("kind", "Deployment"), target["name"])
        if owner is None or owner.identity.api_version != target.get("apiVersion", "apps/v1"):
            yield found(scaler, f"scales {target}, which is not rendered")
            continue
        names = {
            c["name"]
            for pod in rendered.pods
            if pod.owner is _template_of(rendered, owner)
            for c in pod.running
        }
        for name in _containers_measured(scaler):
            if name not in names:
                yield found(scaler, f"measures the container {name!r}, which is not among {sorted(names)}")


def _template_of(rendered: Rendered, owner: Manifest) -> Manifest:
    """A Rollout may borrow its pods from a Deployment."""
    reference = owner.body["spec"].get("workloadRef")
    return (rendered.find(reference["kind"], reference["name"]) or owner) if reference else owner


def _containers_measured(scaler: Manifest) -> Iterator[str]:
    for metric in scaler.body["spec"].get("metrics", ()):
        if metric["type"] == "ContainerResource":
            yield metric["containerResource"]["container"]
    for trigger in scaler.body["spec"].get("triggers", ()):
        if "containerName" in trigger.get("metadata", {}):
            yield trigger["metadata"]["containerName"]


@rule("budgets", "a drain that may not take one pod never ends; one that may take all is an outage")
def budgets(rendered: Rendered) -> Iterator[Finding]:
    every = rendered.of("PodDisruptionBudget")
    for pod in rendered.service_pods:
        if pod.owner.identity.kind != "ClusterServingRuntime":
            if not any(selects(budget.body["spec"]["selector"], pod.labels) for budget in every):
                yield found(pod, "no disruption budget")
    for budget in every:
        spec = budget.body["spec"]
        if spec.get("maxUnavailable") != 1 or "minAvailable" in spec:
            yield found(budget, "does not let exactly one pod go")
        if spec.get("unhealthyPodEvictionPolicy") != "AlwaysAllow":
            yield found(budget, "a pod that is not ready holds up a drain")
        chosen = [pod for pod in rendered.pods if selects(spec["selector"], pod.labels)]
        if len({pod.component for pod in chosen}) != 1:
            yield found(budget, "selects no pod, or those of several programs")


@rule("monitors", "a monitor that matches no Service or no port by its name scrapes nothing, silently")
def monitors(rendered: Rendered) -> Iterator[Finding]:
    for monitor in rendered.of("ServiceMonitor", "PodMonitor"):
        spec = monitor.body["spec"]
        on_services = monitor.identity.kind == "ServiceMonitor"
        endpoints = spec.get("endpoints" if on_services else "podMetricsEndpoints", ())
        for endpoint in endpoints:
            if not any(
                endpoint.get("port") in names for names in _scrapable(rendered, spec, on_services=on_services)
            ):
                yield found(
                    monitor, f"scrapes port {endpoint.get('port')!r}, which nothing that it selects has"
                )
            if endpoint.get("interval") != "15s" or endpoint.get("scrapeTimeout") != "5s":
                yield found(monitor, f"scrapes {endpoint.get('port')!r} every {endpoint.get('interval')}")
            if endpoint.get("port") == "http":
                yield found(monitor, "scrapes the port of the clients")
        if {endpoint.get("port") for endpoint in endpoints} != {"metrics", "agent-metrics"}:
            yield found(monitor, "does not scrape both the service and its agent")


def _scrapable(rendered: Rendered, spec: dict[str, Any], *, on_services: bool) -> Iterator[set[str]]:
    if on_services:
        for service in rendered.of("Service"):
            if selects(spec["selector"], labels_of(service)):
                yield {port.get("name") for port in service.body["spec"]["ports"]}
    else:
        yield from (port_names(pod) for pod in rendered.pods if selects(spec["selector"], pod.labels))


@rule("monitor-limits", "a label that takes any value ends a scrape, and not Prometheus")
def monitor_limits(rendered: Rendered) -> Iterator[Finding]:
    for monitor in rendered.of("ServiceMonitor", "PodMonitor"):
        spec = monitor.body["spec"]
        for field in ("sampleLimit", "labelLimit", "labelValueLengthLimit"):
            if not spec.get(field):
                yield found(monitor, f"no {field}")
        if spec.get("sampleLimit", 0) > 5000:
            yield found(monitor, "takes more than 5000 samples")
    for manifest in rendered.of("ServiceMonitor", "PodMonitor", "PrometheusRule"):
        if not OPERATOR.items() <= labels_of(manifest).items():
            yield found(manifest, f"lacks the label that Prometheus selects by: {OPERATOR}")


@rule("routes", "what faces clients leads to the API port of a Service that exists, over TLS")
def routes(rendered: Rendered) -> Iterator[Finding]:
    for ingress in rendered.of("Ingress"):
        spec = ingress.body["spec"]
        hosts = {host for tls in spec.get("tls", ()) for host in tls.get("hosts", ())}
        terminated = any("certificate-arn" in key for key in ingress.body["metadata"].get("annotations", {}))
        for routed in spec["rules"]:
            if routed.get("host") not in hosts and not terminated:
                yield found(ingress, f"{routed.get('host')} is served without TLS")
            for path in routed["http"]["paths"]:
                backend = path["backend"]["service"]
                if not leads_to_api(rendered, backend["name"], backend["port"]):
                    yield found(ingress, f"leads to {backend}")
        if "ingressClassName" not in spec:
            yield found(ingress, "names no class")


@rule("gateway-routes", "a route of a Gateway leads to the API port of a Service that exists")
def gateway_routes(rendered: Rendered) -> Iterator[Finding]:
    for route in rendered.of("HTTPRoute"):
        for backend in (b for r in route.body["spec"]["rules"] for b in r.get("backendRefs", ())):
            if not leads_to_api(rendered, backend["name"], {"number": backend["port"]}):
                yield found(route, f"leads to {backend}")


def leads_to_api(rendered: Rendered, name: str, port: dict[str, Any]) -> bool:
    service = rendered.find("Service", name)
    if service is None:
        return False
    http = next((p for p in service.body["spec"]["ports"] if p.get("name") == "http"), None)
    return http is not None and (port.get("name") == "http" or port.get("number") == http["port"])


@rule(
    "mounts",
    "a mount of a volume that does not exist, or a volume that nobody mounts, is a mistake either way",
)
def mounts(rendered: Rendered) -> Iterator[Finding]:
    for pod in rendered.pods:
        claims = {c["metadata"]["name"] for c in pod.owner.body["spec"].get("volumeClaimTemplates", ())}
        volumes = {volume["name"] for volume in pod.spec.get("volumes", ())} | claims
        mounted = {mount["name"] for c in pod.containers for mount in c.get("volumeMounts", ())}
        if mounted != volumes:
            yield found(pod, f"volumes {sorted(volumes)}, mounts {sorted(mounted)}")


@rule(
    "no-warnings", "the API server warns of what it will refuse one day, and of what cannot have been meant"
)
def no_warnings(rendered: Rendered) -> Iterator[Finding]:
    for pod in rendered.pods:
        for container in pod.containers:
            names = [item["name"] for item in container.get("env", ())]
            yield from (
                found(pod, f"{name} is set twice", container) for name in set(names) if names.count(name) > 1
            )
        if "serviceAccount" in pod.spec:
            yield found(pod, "serviceAccount is the old name of serviceAccountName")
    for manifest in rendered.manifests:
        if len(manifest.identity.name) > LONGEST_NAME:
            yield found(manifest, "its name is no host name")
        if "kubernetes.io/ingress.class" in manifest.body["metadata"].get("annotations", {}):
            yield found(manifest, "names its class in an annotation")


RULES: tuple[Rule, ...] = (
    *(labels, selectors, services, ports_apart, scaled_targets, budgets),
    *(monitors, monitor_limits, routes, gateway_routes, mounts, no_warnings),
)
